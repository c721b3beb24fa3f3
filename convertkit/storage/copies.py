"""What has a URL and is needed as files: copied to this machine, and gone with the process or sooner."""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from convertkit.errors import UsageError
from convertkit.storage.temporary import work_directory
from convertkit.storage.urls import Url, Where

PIECE = 1 << 20
"""Bytes that are copied at a time."""

_copies: dict[Url, Path] = {}
_life = contextlib.ExitStack()
atexit.register(_life.close)


def here(place: Where) -> Path:
    """A path itself; of a URL the directory that has all that is below it.

    Raises:
        UsageError: nothing is below it. UnavailableError: it cannot be read. StoreError: there is no room.
    """
    if isinstance(place, Path):
        return place
    if place not in _copies:
        directory = _life.enter_context(work_directory("copy")).resolve() / place.name
        place.fetch_all(directory)
        if not directory.is_dir():
            raise UsageError("nothing is there").about(place)
        _copies[place] = directory
    return _copies[place]


@contextlib.contextmanager
def file_of(place: Where, most: int) -> Iterator[Path]:
    """A path itself, whatever is there; of a URL a copy that is there for as long as it is needed.

    Raises:
        UsageError: the URL is missing, cannot be read, or has more than ``most`` bytes. StoreError: there is no room.
    """
    if isinstance(place, Path):
        yield place
        return
    with work_directory("copy") as directory:
        path, left = directory / "file", most
        with place.open() as stream, path.open("wb") as copy:
            for piece in iter(partial(stream.read, PIECE), b""):
                if (left := left - len(piece)) < 0:
                    raise UsageError(
                        f"larger than {most >> 20} MiB, which is the most for a file of its kind"
                    ).about(place)
                copy.write(piece)
        yield path


def origin(path: Path) -> Where:
    """What a path is a copy of, for a process that has not the copy; else the path."""
    for url, directory in _copies.items():
        if path.is_relative_to(directory):
            inside = path.relative_to(directory).as_posix()
            return url if inside == "." else url / inside
    return path
