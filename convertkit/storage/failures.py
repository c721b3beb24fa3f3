"""What is left of failures: all that is needed to see one again, and never more than a few of a kind."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import ProcessError, StoreError
from convertkit.storage.files import atomic_directory, home, scratch_directory
from convertkit.storage.locks import locked_now
from convertkit.storage.temporary import discard

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = 5
"""Failures of a kind that stay; older ones go when a new one comes."""

RUNNING = ".running"
"""In the directory of work that has not failed: left by a killed process, it goes."""


def failures_directory() -> Path:
    """Where they are, below the home directory; it need not exist."""
    return home() / "failures"


@contextlib.contextmanager
def attempt(kind: str) -> Iterator[Path]:
    """An empty directory to run a child process in. It stays where that process fails, else it goes.

    Raises:
        StoreError: the home directory cannot be written.
    """
    path = _named(failures_directory(), kind)
    with scratch_directory(path) as temporary:
        (temporary / RUNNING).touch()
        _clean(path.parent)
        temporary.rename(path)
        failed = False
        try:
            yield path
        except ProcessError:
            failed = True
            (path / RUNNING).unlink(missing_ok=True)
            prune(path.parent, kind)
            raise
        finally:
            if not failed:
                with contextlib.suppress(OSError):
                    path.rename(temporary)  # goes with everything in it


def keep_failure(kind: str, *files: Path) -> Path | None:
    """Copies files into the directory of a new failure and returns it; None where there is no room for them."""
    path = _named(failures_directory(), kind)
    try:
        with atomic_directory(path) as filling:
            for file in files:
                shutil.copyfile(file, filling / file.name)
    except (OSError, StoreError):  # the failure itself is what the user has to see
        return None
    prune(path.parent, kind)
    return path


def prune(directory: Path, kind: str) -> None:
    """Removes all but the newest of a kind."""
    ended = (path for path in directory.glob(f"{kind}-*") if not (path / RUNNING).exists())
    known = sorted(ended, key=lambda path: path.stat().st_mtime, reverse=True)
    for old in known[KEPT:]:
        discard(old)


def _named(directory: Path, kind: str) -> Path:
    return directory / f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def _clean(directory: Path) -> None:
    """Removes what killed processes were working in."""
    for mark in directory.glob(f"*/{RUNNING}"):
        with contextlib.suppress(OSError), locked_now(mark.parent):
            shutil.rmtree(mark.parent, ignore_errors=True)
