"""The list of photos that scripts beside a runtime read."""

from __future__ import annotations

from pathlib import Path

from convertkit.api.commands.asking import choice

KINDS = ("photos", "inputs")


def info(directory: Path, output: Path, of: str = "photos") -> str:
    """Writes the list of photos, or of prepared files, and says so."""
    from convertkit.offline import info as files
    from convertkit.offline.prepared import NAME

    choice(of, "--of", KINDS)
    if of == "inputs":
        entries = files.of_inputs(directory)
    elif (directory / NAME).is_file():
        entries = files.of_photos(directory)
    else:
        entries = files.of_directory(directory)
    return f"wrote {output} ({files.write(entries, output)} lines)"
