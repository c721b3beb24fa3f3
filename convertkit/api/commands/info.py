"""The list of photos that scripts beside a runtime read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from convertkit.api.commands.asking import choice
from convertkit.api.commands.pages import Block, Shown

KINDS = ("photos", "inputs")


class Listed(Shown, Struct, frozen=True):
    """The file that was written, and how many photos or inputs it lists."""

    file: Path
    lines: int

    def page(self) -> Iterator[Block]:
        yield f"wrote {self.file} ({self.lines} lines)"


def info(directory: Path, output: Path, of: str = "photos") -> Listed:
    """Writes the list of photos, or of prepared files."""
    from convertkit.offline import info as files
    from convertkit.offline.prepared import NAME

    choice(of, "--of", KINDS)
    if of == "inputs":
        entries = files.of_inputs(directory)
    elif (directory / NAME).is_file():
        entries = files.of_photos(directory)
    else:
        entries = files.of_directory(directory)
    return Listed(output, files.write(entries, output))
