"""Named arrays in ``.npz`` files: inputs of a graph, and what it made of them."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from convertkit.errors import UsageError
from convertkit.reading import open_regular

Named = dict[str, NDArray[Any]]

MOST_BYTES = 2 << 30
"""Of all arrays of a file together: ten times the inputs and outputs of any detector that we know."""

ODD_HEADER = (TypeError, OverflowError, MemoryError, SyntaxError, tokenize.TokenError, RecursionError)
"""What numpy lets through of Python's tokenizer and of its own arithmetic, besides the ValueError that it means."""

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


def read_array(stream: IO[bytes]) -> NDArray[Any]:
    """The array of an open ``.npy`` file; Python objects are not read.

    Raises:
        ValueError: it is none, or is cut short.
    """
    try:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except ODD_HEADER as error:
        raise ValueError(f"its header makes no sense ({error})") from error
    return array


def _refuse_bombs(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """A small archive can unpack to any size; its own directory says to which."""
    total = sum(item.file_size for item in entries)
    if total > MOST_BYTES:
        raise UsageError(f"{path}: unpacks to {total} bytes, at most {MOST_BYTES} are taken")
    if any(item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for item in entries):
        raise UsageError(f"{path}: packed in a way that numpy does not write", hint="numpy.savez writes one")


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays under their names; tensor names may hold slashes, and ``file`` is a name like any other."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def require_inputs(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...], where: Path) -> None:
    """Refuses arrays that lack an input of a graph (UsageError)."""
    missing = [name for name in names if name not in arrays]
    if missing:
        have = ", ".join(arrays) or "nothing"
        raise UsageError(f"{where}: input {missing[0]!r} is missing", hint=f"the file has {have}")


def _read(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(item) as stream:
        return read_array(stream)
