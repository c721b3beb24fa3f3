"""``convertkit fetch``: a variant's checkpoint, or a dataset, from where its authors published it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, VariantOption, located
from convertkit.cli.ui import BuildView, answer, progress_bar

FetchedModel = Annotated[
    Path | None,
    typer.Argument(
        help="Model package: its name, or the directory that holds model.yaml.",
        metavar="[MODEL]",
        parser=located,
    ),
]


def fetch(
    model: FetchedModel = None,
    variant: VariantOption = None,
    url: Annotated[str | None, typer.Option("--url", help="Another place to get the same file from.")] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="A dataset by name, instead of a model's checkpoint.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Download a variant's checkpoint, or a dataset, and verify it.

    An interrupted download goes on where it stopped.
    """
    from convertkit.api.commands.fetch import fetch as run

    bar = partial(progress_bar, unit="bytes")
    answer(
        run(model, variant=variant, url=url, dataset=dataset, report=BuildView(), bar=bar), as_json=as_json
    )
