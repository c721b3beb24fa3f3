"""An artifact as one file, for the machine that compiles it."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.build.manifest import NAME
from convertkit.errors import UsageError
from convertkit.files import TEMPORARY

if TYPE_CHECKING:
    from convertkit.build.manifest import Manifest

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date a .zip can say: the same artifact gives the same bytes."""


def pack(directory: Path, manifest: Manifest) -> Path:
    """Writes ``DIRECTORY.zip`` beside an artifact's directory; ``convertkit compile`` takes it as it is.

    Weights hardly compress: files are stored. A file of that name is replaced if it is a .zip.

    Raises:
        UsageError: something else has that name, or the place cannot be written.
    """
    place = directory.parent / f"{directory.resolve().name}.zip"
    if place.exists() and not zipfile.is_zipfile(place):
        raise UsageError(f"{place} is there but is no .zip", hint="remove it, or choose another --output")
    unfinished = place.with_name(f".{place.name}-{secrets.token_hex(4)}{TEMPORARY}")
    try:
        with zipfile.ZipFile(unfinished, "w", allowZip64=True) as archive:
            for name in (*sorted(manifest.files), NAME):
                _add(archive, directory / name, f"{directory.resolve().name}/{name}")
        unfinished.replace(place)
    except OSError as error:
        raise UsageError(f"{place}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return place


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    item = zipfile.ZipInfo(name, EPOCH)
    item.external_attr = 0o644 << 16
    item.file_size = path.stat().st_size
    with path.open("rb") as stream, archive.open(item, "w") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
