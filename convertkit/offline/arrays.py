"""One array in one file: ``.bin``, raw little-endian values without a header, or ``.npy``."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.errors import UsageError
from convertkit.graph.npz import read_array, read_header
from convertkit.offline.interface import TensorInfo
from convertkit.storage.files import atomic_write
from convertkit.storage.reading import open_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = ("bin", "npy")


def encode(array: NDArray[Any], suffix: str) -> bytes | memoryview:
    """The bytes of a file of a contiguous array: ``bin`` as ``tofile`` writes them, ``npy`` as ``save`` does."""
    if suffix == "bin":
        return array.data.cast("B")
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def write(path: Path, array: NDArray[Any]) -> str:
    """Writes an array under a temporary name, renames it, and returns the sha256 of the file.

    The disk is not waited for: whoever believes the file after a power failure has to look at its hash.
    """
    data = encode(array, path.suffix[1:])
    atomic_write(path, [data], sync=False)
    return hashlib.sha256(data).hexdigest()


def problem(path: Path, tensor: TensorInfo) -> str | None:
    """What keeps a file from being ``tensor``, or None; only a header is read."""
    if not path.is_file():
        return "not a regular file"
    size = path.stat().st_size
    if path.suffix != ".npy":
        return None if size == tensor.bytes else f"{_bytes(size, tensor)}, but {tensor} has {tensor.bytes}"
    try:
        with open_regular(path) as stream:
            shape, _, dtype = read_header(stream, size)
    except ValueError as error:
        return f"not a whole .npy file ({error})"
    if dtype.newbyteorder("=") == np.dtype(tensor.dtype) and _long(shape) == _long(tensor.shape):
        return None
    return f"{dtype} {'x'.join(map(str, shape))}, but {tensor} was expected"


def read(path: Path, tensor: TensorInfo) -> NDArray[Any]:
    """The array of a file in the shape of ``tensor`` (axes of length 1 may differ in an ``.npy``).

    Raises:
        UsageError: the file is missing, or is no such array; the message says what it is.
    """
    wrong = problem(path, tensor)
    if wrong is not None:
        raise UsageError(f"{path}: {wrong}")
    with open_regular(path) as stream:
        try:
            if path.suffix == ".npy":
                array = read_array(stream, path.stat().st_size).astype(tensor.dtype, copy=False)
            else:
                array = np.frombuffer(bytearray(stream.read()), np.dtype(tensor.dtype).newbyteorder("<"))
            return array.reshape(tensor.shape)
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be read ({error})") from error


def _long(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sides that say something: 100x1 and 100 hold the same values in the same order."""
    return tuple(side for side in shape if side != 1)


def _bytes(size: int, tensor: TensorInfo) -> str:
    """A size, and what it would be of: a cut file tells nothing, half of the values' size does."""
    if not size:
        return "empty"
    kinds = {"f": ("float16", "float32", "float64"), "i": ("int8", "int16", "int32", "int64")}
    others = kinds.get(np.dtype(tensor.dtype).kind, ())
    like = next((name for name in others if tensor.elements * np.dtype(name).itemsize == size), None)
    return f"{size} bytes" + (f" (as many as {like} has)" if like else "")
