"""From the ``file_name`` of an annotation file to a file in the directory of images, and nowhere else."""

from __future__ import annotations

import os.path
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from convertkit.datasets.faults import quoted
from convertkit.storage.urls import Url, Where

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def plain_name(file_name: str) -> str:
    """A name without ``.`` and ``..`` where they lead nowhere: ``./a.png`` and ``x/../a.png`` are ``a.png``."""
    return os.path.normpath(file_name)


def from_windows(file_name: str) -> str:
    r"""A name as it is meant where it was written on Windows: ``train\a.png`` is ``train/a.png``."""
    return plain_name(file_name.replace("\\", "/"))


def fault_of(file_name: str, directory: Where) -> str | None:
    """Why a name is not looked for, or None where it stays in the directory."""
    shown = f"file_name {quoted(file_name)}"
    where = "; names are relative to the directory of images"
    if "://" in file_name:
        return f"{shown} is a URL{where}{nearby(re.split('[?#]', file_name)[0], directory)}"
    if PurePosixPath(file_name).is_absolute() or PureWindowsPath(file_name).drive:
        return f"{shown} is absolute{where}{nearby(file_name, directory)}"
    parts = Path(from_windows(file_name or "..")).parts
    if parts[:1] in ((), ("..",)) or "\0" in file_name:
        return f"{shown} does not stay in the directory of images"
    return None


def find(file_name: str, directory: Where) -> Where | None:
    """The file, under the name as it stands or as Windows would mean it; None where there is none."""
    for name in dict.fromkeys((plain_name(file_name), from_windows(file_name))):
        if _is_file(directory / name):
            return directory / name
    return None


def nearby(file_name: str, directory: Where) -> str:
    """Where a file is that is not where its name says: above the directory, or in it by almost that name."""
    if isinstance(directory, Url):  # every name would be asked for over the network
        return ""
    parts = PurePosixPath(from_windows(file_name)).parts
    for above in directory.resolve().parents[: len(parts) - 1]:
        if parts[0] not in ("/", "..") and _is_file(above.joinpath(*parts)):
            return f"; it is there from {above}: give that as the directory"
    base = PurePosixPath(parts[-1] if parts else "")
    ends = (base.suffix.lower(), base.suffix.upper(), *SUFFIXES)
    names = [base.name, base.name.lower(), base.name.upper(), *(base.stem + end for end in ends)]
    there = next((name for name in names if name and _is_file(directory / name)), "")
    return f"; {quoted(there)} is there: write that" if there else ""


def _is_file(path: Where) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or none at all
        return False
