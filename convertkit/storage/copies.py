"""What has a URL and is needed as files: copied once by each process that needs it, and gone with the process."""

from __future__ import annotations

import atexit
import contextlib
from pathlib import Path

from convertkit.errors import UsageError
from convertkit.storage.temporary import work_directory
from convertkit.storage.urls import Url, Where

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


def origin(path: Path) -> Where:
    """What a path is a copy of, for a process that has not the copy; else the path."""
    for url, directory in _copies.items():
        if path.is_relative_to(directory):
            inside = path.relative_to(directory).as_posix()
            return url if inside == "." else url / inside
    return path
