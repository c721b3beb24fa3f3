"""Archives of strangers, unpacked: nothing lands outside of the directory, and no more bytes than were allowed."""

from __future__ import annotations

import contextlib
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from convertkit.datasets.faults import quoted
from convertkit.errors import SpecError
from convertkit.storage.archives import open_zip, pieces

DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError),
    *(NotImplementedError, RuntimeError, LookupError, ValueError),
)
"""What an archive that is cut short, encrypted or garbled makes of reading it."""

MOST_ENTRIES = 4_000_000
"""More than any dataset has; an archive may list any number."""


@dataclass(frozen=True)
class _Entry:
    """Of an archive; ``kind`` is empty for a file, a word for what is neither a file nor a directory."""

    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, place: Path, wanted: Callable[[PurePosixPath], bool], most: int) -> int:
    """Unpacks the files that are ``wanted`` below ``place``, and returns how many bytes they have.

    All names are looked at, also of what is not wanted: an archive with one that leads elsewhere is no honest one.

    Args:
        archive: .zip or .tar, or .tar under gzip, bzip2 or xz.
        most: bytes that may be written; what an archive says of its sizes is not believed.

    Raises:
        SpecError: it is no archive, is damaged, has a name that leads out of the directory, a link, a device or a file
            twice, or unpacks to more.
    """
    left = most
    try:
        with _entries(archive) as entries:
            for number, entry in enumerate(entries):
                name = _safe(archive, entry)
                if number >= MOST_ENTRIES:
                    raise SpecError(f"{archive}: more than {MOST_ENTRIES} entries")
                if wanted(name) and not entry.name.endswith("/"):
                    left -= _copy(archive, entry, place / name, left)
    except DAMAGED as error:
        raise SpecError(f"{archive}: cannot be unpacked ({error or type(error).__name__})") from error
    return most - left


def is_archive(path: Path) -> bool:
    """Whether a file is of a kind that :func:`unpack` takes."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def _safe(archive: Path, entry: _Entry) -> PurePosixPath:
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts or set(entry.name) & {"\0", "\\", ":"}:
        raise SpecError(f"{archive}: the name {quoted(entry.name)} leads out of the directory")
    if entry.kind:
        raise SpecError(f"{archive}: {quoted(entry.name)} is {entry.kind}, not a file")
    return name


def _copy(archive: Path, entry: _Entry, path: Path, most: int) -> int:
    """Bytes written, which are counted as they come."""
    done = 0
    if path.exists():
        raise SpecError(f"{archive}: {quoted(entry.name)} is in it twice, or in another archive as well")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        for chunk in pieces(entry.open):
            done += len(chunk)
            if done > min(most, entry.size):
                said = "more than it says" if done > entry.size else "more bytes than are allowed"
                raise SpecError(f"{archive}: {quoted(entry.name)} unpacks to {said}", hint="raise most_bytes")
            stream.write(chunk)
    return done


@contextlib.contextmanager
def _entries(archive: Path) -> Iterator[Iterator[_Entry]]:
    if zipfile.is_zipfile(archive):
        with open_zip(archive) as packed:
            yield (_zip_entry(packed, one) for one in packed.infolist())
    else:
        with tarfile.open(archive) as taped:
            yield (_tar_entry(taped, one) for one in taped)


def _zip_entry(packed: zipfile.ZipFile, one: zipfile.ZipInfo) -> _Entry:
    mode = one.external_attr >> 16  # 0 where it was not made on Unix
    plain = not stat.S_IFMT(mode) or stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    kind = "" if plain else "a link" if stat.S_ISLNK(mode) else "a device"
    return _Entry(one.filename, one.file_size, kind, partial(packed.open, one))


def _tar_entry(taped: tarfile.TarFile, one: tarfile.TarInfo) -> _Entry:
    kind = "" if one.isfile() or one.isdir() else "a link" if one.issym() or one.islnk() else "a device"

    def open_it() -> IO[bytes]:
        stream = taped.extractfile(one)
        if stream is None:
            raise tarfile.ReadError(f"{one.name}: nothing to read")
        return stream

    return _Entry(f"{one.name}/" if one.isdir() else one.name, one.size, kind, open_it)
