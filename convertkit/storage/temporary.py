"""Work in progress: its temporary names, and how the leftovers of killed processes are told from it and removed."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import StoreError
from convertkit.storage.locks import ANY, FULL, locked_now, store_error, take
from convertkit.storage.system import release

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY = ".convertkit-tmp"
"""Suffix of everything unfinished; such a name is never a result."""

SPARE_BYTES = 1 << 20
"""A file system with less than this is full: what failed to be written may have been larger than what is left."""

NAME_LETTERS = 100
"""Letters of a file's name that its temporary name repeats: a name has at most 255 bytes."""


@contextlib.contextmanager
def scratch_directory(beside: str | Path) -> Iterator[Path]:
    """Yield an empty directory next to ``beside``, on its file system; it goes with everything in it at the end.

    Whatever a killed process left there earlier is removed on the way in.

    Raises:
        StoreError: the place cannot be written.
    """
    beside = Path(beside)
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        clean_leftovers(beside.parent)
        temporary, descriptor = reserve(beside, directory=True)
    except OSError as error:
        raise store_error(beside, error) from error
    try:
        yield temporary
    except OSError as error:
        if is_full(temporary, error):
            raise store_error(beside, error) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        release(descriptor)


@contextlib.contextmanager
def work_directory(name: str) -> Iterator[Path]:
    """As :func:`scratch_directory`, where temporary files belong (``TMPDIR``); ``name`` is for people who look there.

    Raises:
        StoreError: there is no room; says so of ``TMPDIR``.
    """
    place = temporary_place() / f"convertkit-{name}"
    try:
        with scratch_directory(place) as directory:
            yield directory
    except StoreError as error:
        if error.subject == str(place):
            error.hint = f"set TMPDIR to a place with room; it is {place.parent} now"
        raise


def temporary_place() -> Path:
    """``TMPDIR`` or what stands for it. Python's own way to find it writes a file there, which a kill would leave."""
    named = (tempfile.tempdir, *map(os.environ.get, ("TMPDIR", "TEMP", "TMP")), "/tmp", "/var/tmp")
    usable = (Path(place) for place in named if place and os.access(place, os.W_OK | os.X_OK))
    return next(usable, Path.cwd())


def is_full(place: Path, error: OSError) -> bool:
    """Whether an error says that a disk is full, and it is the one of ``place``: a failed write names no file."""
    if error.errno not in FULL:
        return False
    return shutil.disk_usage(place).free < SPARE_BYTES or error.errno != errno.ENOSPC


def clean_leftovers(directory: str | Path, of: str = "") -> list[Path]:
    """Remove the unfinished files and directories of dead processes in ``directory``; return what went.

    The work of living processes, known by its lock, stays.

    Args:
        of: only what would have become a file of this name; everything by default.
    """
    removed = []
    start = glob.escape(f".{of[:NAME_LETTERS]}.") if of else "."
    for path in sorted(Path(directory).glob(f"{start}*{TEMPORARY}")):
        with contextlib.suppress(OSError), locked_now(path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed.append(path)
    return removed


def discard(directory: Path) -> None:
    """Remove a directory, under another name first: killed half-way, none is left that looks whole. It may fail."""
    aside = directory.with_name(f".{directory.name[:NAME_LETTERS]}.{secrets.token_hex(6)}{TEMPORARY}")
    with contextlib.suppress(OSError):
        directory.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def reserve(path: Path, *, directory: bool) -> tuple[Path, int]:
    """Make a temporary sibling of ``path``, and its lock, which goes when the descriptor is released.

    Where a cleaner wins the race for the lock, another one is made.

    Raises:
        StoreError: what is to be replaced by a file is none (a device, a directory).
    """
    if not directory and path.exists() and not path.is_file():
        raise StoreError(f"{path}: cannot be written: it is not a regular file", hint="choose another place")
    while True:
        temporary = path.parent / f".{path.name[:NAME_LETTERS]}.{secrets.token_hex(6)}{TEMPORARY}"
        temporary.mkdir() if directory else temporary.touch(0o644, exist_ok=False)
        with contextlib.suppress(FileNotFoundError):
            return temporary, take(temporary, wait=True, without=ANY)
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
