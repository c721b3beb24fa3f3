"""An artifact as one file, for the machine that compiles it, and back."""

from __future__ import annotations

import shutil
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path, PurePosixPath

from convertkit.conversion.manifest import MOST_BYTES, NAME, Manifest, read_manifest
from convertkit.errors import SpecError, UsageError
from convertkit.storage.archives import open_zip, pieces
from convertkit.storage.files import CHUNK, scratch_directory
from convertkit.storage.locks import store_error
from convertkit.storage.reading import open_regular

DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, LookupError, ValueError),
)
"""What a .zip that is none, is cut short, encrypted or garbled makes of reading it."""

AGAIN = "copy the bundle again, all of it"

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date a .zip can say: the same artifact gives the same bytes."""


def pack(directory: Path, manifest: Manifest) -> Path:
    """Writes ``DIRECTORY.zip`` beside an artifact's directory; ``convertkit compile`` takes it as it is.

    Weights hardly compress: files are stored. A file of that name is replaced if it is a .zip.

    Raises:
        UsageError: something else has that name. StoreError: the place cannot be written.
    """
    whole = directory.resolve()
    beside = directory.parent if directory.name == whole.name else whole.parent  # `.` has no name of its own
    place = beside / f"{whole.name}.zip"
    if place.exists() and not zipfile.is_zipfile(place):
        raise UsageError(f"{place} is there but is no .zip", hint="remove it, or choose another --output")
    with scratch_directory(place.absolute()) as scratch:
        try:
            with zipfile.ZipFile(scratch / place.name, "w", allowZip64=True) as archive:
                for name in (*sorted(manifest.files), NAME):
                    _add(archive, directory / name, f"{whole.name}/{name}")
            (scratch / place.name).replace(place)
        except OSError as error:
            raise store_error(place, error) from error
    return place


def unpack(archive: Path, place: Path) -> Path:
    """The artifact in a .zip; ``place`` is made and returned.

    The .zip is somebody's: only files that its manifest names are taken, flat, and only where its own directory lists
    each of them, with the size that the manifest says: a small .zip can unpack to any size. They may lie in one
    directory; whether they are what the manifest says is for the caller to check.

    Raises:
        UsageError: no such file, or no artifact. SpecError: it cannot be read, or its manifest is none.
        StoreError: the disk is full.
    """
    place.mkdir()
    try:
        with open_regular(archive) as stream, open_zip(stream) as packed:
            found = _by_name(packed)
            if NAME not in found:
                raise UsageError(
                    f"{archive} is no bundle: it has no {NAME}", hint="give a .zip that convertkit build made"
                )
            _take(packed, _bounded(archive, found[NAME], MOST_BYTES), place)
            files = read_manifest(place / NAME).files
            for item in [_listed(archive, found, name, entry.bytes) for name, entry in files.items()]:
                _take(packed, item, place)
    except DAMAGED as error:
        raise SpecError(f"{archive}: neither a directory nor a .zip that can be read ({error})") from error
    except OSError as error:
        raise store_error(place.parent.parent, error) from error
    return place


def _by_name(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Files at the top or in one directory, by their last name."""
    paths = ((PurePosixPath(item.filename), item) for item in packed.infolist() if not item.is_dir())
    return {path.name: item for path, item in paths if len(path.parts) <= 2}


def _listed(archive: Path, found: dict[str, zipfile.ZipInfo], name: str, size: int) -> zipfile.ZipInfo:
    """The entry of a file of the manifest, if it claims to be that file."""
    if name not in found:
        raise SpecError(f"{archive}: {name} is missing", hint=AGAIN)
    item = _bounded(archive, found[name], size)
    if item.file_size != size:
        raise SpecError(f"{archive}: {name} has {item.file_size} bytes, {NAME} says {size}", hint=AGAIN)
    return item


def _bounded(archive: Path, item: zipfile.ZipInfo, most: int) -> zipfile.ZipInfo:
    """Refuses what would take much more than its size to unpack: LZMA and BZIP2 unpack whole blocks at once."""
    name = PurePosixPath(item.filename).name
    if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SpecError(
            f"{archive}: {name} is packed by method {item.compress_type} of .zip",
            hint="pack it stored or deflated",
        )
    if item.file_size > most:
        raise SpecError(f"{archive}: {name} unpacks to {item.file_size} bytes, at most {most} are expected")
    return item


def _take(packed: zipfile.ZipFile, item: zipfile.ZipInfo, place: Path) -> None:
    """zipfile itself hands out no more than the size in the archive's directory."""
    with (place / PurePosixPath(item.filename).name).open("wb") as copy:
        copy.writelines(pieces(partial(packed.open, item)))


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    item = zipfile.ZipInfo(name, EPOCH)
    item.external_attr = 0o644 << 16
    item.file_size = path.stat().st_size
    with path.open("rb") as stream, archive.open(item, "w") as copy:
        shutil.copyfileobj(stream, copy, CHUNK)
