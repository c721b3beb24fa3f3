"""``convertkit info``: the list of photos that scripts beside a runtime read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import choice

KINDS = ("photos", "inputs")


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
) -> None:
    """Write the `index path width height` file of photos or prepared files.

    Its readers split lines at blanks, so a path with a blank is refused.
    """
    from convertkit.offline import info as files
    from convertkit.offline.prepared import NAME

    choice(of, "--of", KINDS)
    if of == "inputs":
        entries = files.of_inputs(directory)
    elif (directory / NAME).is_file():
        entries = files.of_photos(directory)
    else:
        entries = files.of_directory(directory)
    count = files.write(entries, output)
    print(f"wrote {output} ({count} lines)")
