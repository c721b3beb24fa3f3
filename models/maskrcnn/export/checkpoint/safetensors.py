"""The format safetensors: a length, a JSON header, the elements; bounds are checked before anything is read."""

from __future__ import annotations

import json
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.errors import JobError

from .inert import DTYPES, Storage, Tensor
from .kinds import AGAIN

#: torch's storage by the format's own name of an element type.
_NAMES = {
    "F64": "DoubleStorage",
    "F32": "FloatStorage",
    "F16": "HalfStorage",
    "BF16": "BFloat16Storage",
    "I64": "LongStorage",
    "I32": "IntStorage",
    "I16": "ShortStorage",
    "I8": "CharStorage",
    "U8": "ByteStorage",
    "BOOL": "BoolStorage",
}


def read(data: mmap.mmap) -> dict[str, Tensor]:
    """Describe the tensors of a file.

    Raises:
        JobError: the header is none, or names what is not there; the message goes on after the file's name.
    """
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        raise JobError("is cut: its header is not whole", AGAIN)
    try:
        header = json.loads(data[8 : 8 + length])
        found = {
            name: _tensor(data, 8 + length, entry) for name, entry in header.items() if name != "__metadata__"
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise JobError("is damaged: its header is not one of safetensors", AGAIN) from error
    return found


def write(arrays: dict[str, NDArray[Any]]) -> bytes:
    """The bytes of a file with these tensors."""
    names = {DTYPES[storage]: name for name, storage in _NAMES.items() if name != "BF16"}
    header, place = {}, 0
    for key, array in arrays.items():
        dtype = names[array.dtype.str.replace("|b1", "?").replace("|", "<")]
        header[key] = {"dtype": dtype, "shape": array.shape, "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in arrays.values())])


def _tensor(data: mmap.mmap, base: int, entry: Any) -> Tensor:
    name, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if name not in _NAMES:
        raise JobError(f"holds tensors of type {name}, which is not read", "convert them to F32")
    if not all(isinstance(number, int) and 0 <= number < 1 << 48 for number in (start, end, *shape)):
        raise ValueError(shape)
    count = int(np.prod(shape, dtype=object))
    if end - start != count * np.dtype(DTYPES[_NAMES[name]]).itemsize:
        raise ValueError(shape)
    if base + end > len(data):
        raise JobError(f"is cut: {base + end - len(data)} bytes at least are missing", AGAIN)
    strides = [1]
    for size in shape[:0:-1]:
        strides.append(strides[-1] * size)
    storage = Storage(_NAMES[name], count, lambda: memoryview(data)[base + start : base + end])
    return Tensor(storage, 0, shape, tuple(reversed(strides[: len(shape)])))
