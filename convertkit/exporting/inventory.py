"""The managed environments on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from convertkit.errors import StoreError, UnknownNameError, UsageError
from convertkit.exporting.state import Status, lock_of, status_of
from convertkit.storage.files import FileLock, home


def environments_directory() -> Path:
    """Return where environments are kept (it need not exist)."""
    return home() / "envs"


def list_environments() -> list[Status]:
    """Return every environment, unfinished ones included, by name."""
    root = environments_directory()
    if not root.is_dir():
        return []
    return [status_of(path) for path in sorted(root.iterdir()) if path.is_dir()]


def remove(name: str) -> Path:
    """Delete an environment and return the directory that went.

    Args:
        name: as listed (``maskrcnn-0123456789ab``), or the model's name where it has one environment only.

    Raises:
        UnknownNameError: there is no such environment.
        UsageError: the model has several.
        StoreError: it is being built now.
    """
    directory = _find(name)
    lock = lock_of(directory)
    if holder := FileLock.holder(lock):
        raise StoreError(f"environment {directory.name} is being built by {holder}", hint="stop that first")
    with FileLock(lock):
        # Without its record it counts as unfinished: a removal that is killed half-way does no harm.
        (directory / "state.json").unlink(missing_ok=True)
        shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        raise StoreError(f"{directory}: could not be removed completely", hint="check its permissions")
    return directory


def _find(name: str) -> Path:
    known = [status.name for status in list_environments()]
    matches = [one for one in known if one == name or one.rpartition("-")[0] == name]
    if not matches:
        raise UnknownNameError("environment", name, known)
    if len(matches) > 1:
        raise UsageError(f"{name!r} has several environments", hint="name one of " + ", ".join(matches))
    return environments_directory() / matches[0]
