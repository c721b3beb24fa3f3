"""An artifact as one file, for the machine that compiles it, and back."""

from __future__ import annotations

import lzma
import shutil
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from convertkit.build.manifest import NAME, Manifest, read_manifest
from convertkit.errors import SpecError, UsageError
from convertkit.files import CHUNK, scratch_directory
from convertkit.locks import store_error

MOST_MANIFEST = 16 << 20
"""Bytes; that of r50 has 13 kB."""

DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, LookupError, ValueError),
)
"""What a .zip that is none, is cut short, encrypted or garbled makes of reading it."""

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

    The .zip is somebody's: only files that its manifest names are taken, flat, and of each no more than it says. They
    may lie in one directory; whether they are what the manifest says is for the caller to check.

    Raises:
        UsageError: no such file, or no artifact. SpecError: it cannot be read, or its manifest is none.
        StoreError: the disk is full.
    """
    if not archive.is_file():
        raise UsageError(f"{archive}: no such file or directory")
    place.mkdir()
    try:
        with zipfile.ZipFile(archive) as packed:
            found = _by_name(packed)
            if NAME not in found:
                raise UsageError(
                    f"{archive} is no bundle: it has no {NAME}", hint="give a .zip that convertkit build made"
                )
            _take(packed, found[NAME], place, MOST_MANIFEST)
            for name, entry in read_manifest(place / NAME).files.items():
                if name in found:
                    _take(packed, found[name], place, entry.bytes)
    except DAMAGED as error:
        raise SpecError(f"{archive}: neither a directory nor a .zip that can be read ({error})") from error
    except OSError as error:
        if error.errno is None:  # bz2's word for damage
            raise SpecError(f"{archive}: a .zip that cannot be read ({error})") from error
        raise store_error(place.parent.parent, error) from error
    return place


def _by_name(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Files at the top or in one directory, by their last name."""
    paths = ((PurePosixPath(item.filename), item) for item in packed.infolist() if not item.is_dir())
    return {path.name: item for path, item in paths if len(path.parts) <= 2}


def _take(packed: zipfile.ZipFile, item: zipfile.ZipInfo, place: Path, most: int) -> None:
    """At most one byte more than there should be: enough to see that it is another file."""
    left = most + 1
    with packed.open(item) as stream, (place / PurePosixPath(item.filename).name).open("wb") as copy:
        while left > 0 and (part := stream.read(min(CHUNK, left))):
            copy.write(part)
            left -= len(part)


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    item = zipfile.ZipInfo(name, EPOCH)
    item.external_attr = 0o644 << 16
    item.file_size = path.stat().st_size
    with path.open("rb") as stream, archive.open(item, "w") as copy:
        shutil.copyfileobj(stream, copy, CHUNK)
