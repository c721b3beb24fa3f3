"""Arrays in ``.npy`` files, and named ones in ``.npz`` files: inputs of a graph, and what it made of them."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from convertkit.errors import UsageError
from convertkit.storage.reading import open_regular

Named = dict[str, NDArray[Any]]

MOST_BYTES = 2 << 30
"""Of all arrays of a file together: ten times the inputs and outputs of any detector that we know."""

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]
"""Shape, whether it is in Fortran's order, dtype."""

DAMAGED = (
    *(ValueError, OSError, EOFError, RuntimeError, NotImplementedError, LookupError, struct.error),
    *(zipfile.BadZipFile, zlib.error),
)


def read_arrays(path: Path) -> Named:
    """The arrays of an ``.npz`` file by name.

    Raises:
        UsageError: no such file, no ``.npz`` file, or one that holds Python objects or more than :data:`MOST_BYTES`.
    """
    with open_regular(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                entries = [item for item in archive.infolist() if item.filename.endswith(".npy")]
                _refuse_bombs(Path(path), entries)
                return {item.filename.removesuffix(".npy"): _read(archive, item) for item in entries}
        except DAMAGED as error:
            raise UsageError(
                f"{path}: not an .npz file of plain arrays", hint="numpy.savez writes one by input name"
            ) from error


def read_header(stream: IO[bytes], size: int) -> Header:
    """The header of an ``.npy`` of ``size`` bytes, believed only where just as many bytes follow it.

    Raises:
        ValueError: it is no whole ``.npy`` file, or one of Python objects.
    """
    try:
        shape, fortran, dtype = HEADERS[np.lib.format.read_magic(stream)](stream)
    # numpy evaluates a header as Python text: whatever comes of it, the file is at fault
    except Exception as error:
        raise ValueError(f"its header makes no sense: {type(error).__name__}") from error
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if any(isinstance(side, bool) or side < 0 for side in shape):
        raise ValueError(f"its shape makes no sense: {shape}")
    promised, there = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if promised != there:
        raise ValueError(f"{there} bytes of data, its header promises {promised}")
    return shape, fortran, dtype


def read_array(stream: IO[bytes], size: int) -> NDArray[Any]:
    """The array of an ``.npy`` of ``size`` bytes; nothing is unpickled.

    Raises:
        ValueError: as :func:`read_header`.
    """
    shape, fortran, dtype = read_header(stream, size)
    return np.ndarray(shape, dtype, bytearray(stream.read()), order="F" if fortran else "C")


def _refuse_bombs(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """A small archive can unpack to any size; its own directory says to which."""
    total = sum(item.file_size for item in entries)
    if total > MOST_BYTES:
        raise UsageError(f"{path}: unpacks to {total} bytes, at most {MOST_BYTES} are taken")
    if any(item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for item in entries):
        raise UsageError(f"{path}: packed in a way that numpy does not write", hint="numpy.savez writes one")


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays under their names; tensor names may hold slashes, and ``file`` is a name like any other.

    The same arrays give the same bytes: no time is written.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            item = zipfile.ZipInfo(f"{name}.npy")
            item.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(item, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def _read(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(item) as stream:
        return read_array(stream, item.file_size)
