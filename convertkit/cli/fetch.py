"""``convertkit fetch``: a variant's checkpoint from where its authors published it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, ModelArgument, VariantOption
from convertkit.cli.ui import BuildView, answer, progress_bar


def fetch(
    model: ModelArgument,
    variant: VariantOption = None,
    url: Annotated[str | None, typer.Option("--url", help="Another place to get the same file from.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Download a variant's checkpoint and verify it.

    An interrupted download goes on where it stopped.
    """
    from convertkit.api.commands.fetch import fetch as run

    found = run(model, variant=variant, url=url, report=BuildView(), bar=partial(progress_bar, unit="bytes"))
    answer(found, as_json=as_json)
