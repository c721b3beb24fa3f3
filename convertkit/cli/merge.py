"""``convertkit merge``: the figures of all shards of one verification."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.verify import DetailsOption, report


def merge(
    directories: Annotated[
        list[str],
        typer.Argument(help="What --results of verify --shard was given.", metavar="DIRECTORY..."),
    ],
    annotations: Annotated[
        str | None,
        typer.Option(
            "--annotations",
            help="The COCO instances file, or its URL; default: where the shards found it.",
            metavar="PATH",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            "--images",
            help="Where the photos are that --report draws, or their URL; else it names them.",
            metavar="PATH",
        ),
    ] = None,
    per_class: shared.PerClassOption = False,
    details: DetailsOption = False,
    results: Annotated[
        Path | None, typer.Option("--results", help="Keep the detections of all photos in this directory.")
    ] = None,
    html: shared.ReportOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Put the shards of one verification together and judge it.

    Figures, intervals, verdict and exit code are those of one run over all photos. Neither photos nor the model are
    needed, only the annotations.
    """
    from convertkit.api.commands.merge import merge as run
    from convertkit.cli.ui import BuildView

    found = run(
        directories, annotations=annotations, images=images, results=results, html=html, report=BuildView()
    )
    report(found, per_class=per_class, details=details, as_json=as_json)
