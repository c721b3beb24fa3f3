"""``convertkit info``: the list of photos that scripts beside a runtime read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption
from convertkit.cli.ui import answer


def info(
    directory: Annotated[
        Path,
        typer.Argument(
            help="A directory of photos, or one that convertkit preprocess filled.", metavar="DIRECTORY"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    of: Annotated[
        str, typer.Option("--of", help="Of prepared files: photos (with their sizes) or inputs (the files).")
    ] = "photos",
    as_json: JsonOption = False,
) -> None:
    """Write the `index path width height` file of photos or prepared files.

    Its readers split lines at blanks, so a path with a blank is refused.
    """
    from convertkit.api.commands.info import info as run

    answer(run(directory, output, of), as_json=as_json)
