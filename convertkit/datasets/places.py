"""From the ``file_name`` of an annotation file to a file in the directory of images, and nowhere else."""

from __future__ import annotations

import os.path
from pathlib import Path, PurePosixPath, PureWindowsPath

from convertkit.datasets.faults import quoted


def plain_name(file_name: str) -> str:
    """A name without ``.`` and ``..`` where they lead nowhere: ``./a.png`` and ``x/../a.png`` are ``a.png``."""
    return os.path.normpath(file_name)


def from_windows(file_name: str) -> str:
    r"""A name as it is meant where it was written on Windows: ``train\a.png`` is ``train/a.png``."""
    return plain_name(file_name.replace("\\", "/"))


def fault_of(file_name: str, directory: Path) -> str | None:
    """Why a name is not looked for, or None where it stays in the directory."""
    shown = f"file_name {quoted(file_name)}"
    if PurePosixPath(file_name).is_absolute() or PureWindowsPath(file_name).drive:
        base = PureWindowsPath(file_name).name
        there = f"; {quoted(base)} is there: write that" if base and _is_file(directory / base) else ""
        return f"{shown} is absolute; names are relative to the directory of images{there}"
    parts = Path(from_windows(file_name or "..")).parts
    if parts[:1] in ((), ("..",)) or "\0" in file_name:
        return f"{shown} does not stay in the directory of images"
    return None


def find(file_name: str, directory: Path) -> Path | None:
    """The file, under the name as it stands or as Windows would mean it; None where there is none."""
    for name in dict.fromkeys((plain_name(file_name), from_windows(file_name))):
        if _is_file(directory / name):
            return directory / name
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or none at all
        return False
