"""One array in one file: ``.bin``, raw little-endian values without a header, or ``.npy``."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.errors import UsageError
from convertkit.files import atomic_write
from convertkit.graph.npz import ODD_HEADER
from convertkit.reading import require_regular
from convertkit.workflow.interface import TensorInfo

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
    if path.suffix == ".npy":
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, *ODD_HEADER) as error:
            return f"not a whole .npy file ({_brief(error)})"
        if array.size != tensor.elements or array.dtype != np.dtype(tensor.dtype):
            return f"{array.dtype} {'x'.join(map(str, array.shape))}, but {tensor} was expected"
        return None
    size = path.stat().st_size
    return None if size == tensor.bytes else f"{size} bytes, but {tensor} has {tensor.bytes}"


def read(path: Path, tensor: TensorInfo) -> NDArray[Any]:
    """The array of a file in the shape of ``tensor`` (axes of length 1 may differ in an ``.npy``).

    Raises:
        UsageError: the file is missing, or is no such array; the message says what it is.
    """
    require_regular(path)
    try:
        wrong = problem(path, tensor)
        if wrong is not None:
            raise UsageError(f"{path}: {wrong}")
        if path.suffix == ".npy":
            array: NDArray[Any] = np.load(path, allow_pickle=False)
        else:
            array = np.fromfile(path, np.dtype(tensor.dtype).newbyteorder("<"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    return array.reshape(tensor.shape)


def _brief(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
