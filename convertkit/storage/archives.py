"""Reading archives of strangers: what is wrong with one is never told as a place that cannot be written.

A directory, or an entry, that is said to begin in front of the file makes of reading it the OSError that a bad disk
makes of writing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from convertkit.storage.files import CHUNK


def open_zip(file: Path | IO[bytes]) -> zipfile.ZipFile:
    """A .zip, to be read; BadZipFile, or what else zipfile has for it, where it is damaged."""
    try:
        return zipfile.ZipFile(file)
    except OSError as error:
        raise _damaged(error) from error


def pieces(entry: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    """What is in an entry of an archive, so much at a time; errors as of :func:`open_zip`.

    Args:
        entry: opens it.
    """
    try:
        with entry() as stream:
            while piece := stream.read(CHUNK):
                yield piece
    except OSError as error:
        raise _damaged(error) from error


def _damaged(error: OSError) -> zipfile.BadZipFile:
    return zipfile.BadZipFile(error.strerror or str(error))
