"""External data: where it would be, without opening anything outside the model's directory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx
from onnx import TensorProto


@dataclass(frozen=True)
class Extent:
    """Where a tensor's bytes lie.

    Attributes:
        outside: the location leaves the directory; nothing was looked at.
        problem: why the bytes cannot be had; empty where they can.
    """

    path: Path | None
    offset: int
    length: int
    outside: bool = False
    problem: str = ""


def find(tensor: TensorProto, directory: Path | None) -> Extent:
    """Where the data of a tensor with ``data_location`` EXTERNAL lies, and whether it is all there.

    Links are followed before it is decided whether the place is inside the directory.
    """
    entries = {item.key: item.value for item in tensor.external_data}
    location = entries.get("location", "")
    offset, length = _number(entries.get("offset", "0")), _number(entries.get("length", "-1"))
    wanted = size_of(tensor)
    if not location or "\0" in location:
        return Extent(None, 0, 0, problem="it names no file")
    if offset is None or length is None or wanted is None:
        return Extent(None, 0, 0, problem=f"offset, length or type make no sense: {entries}")
    length = wanted if length < 0 else length
    if _leaves(location):
        return Extent(None, offset, length, outside=True, problem=f"{location} is outside the directory")
    if directory is None:
        return Extent(None, offset, length, problem=f"{location} is not part of the model")
    root = directory.resolve()
    try:
        path = (root / location).resolve()
        if not path.is_relative_to(root):
            return Extent(None, offset, length, outside=True, problem=f"{location} is outside the directory")
        return Extent(path, offset, length, problem=_missing(path, location, offset, length, wanted))
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long
        return Extent(None, offset, length, problem=f"{location[:80]} cannot be looked at ({error})"[:200])


def _leaves(location: str) -> bool:
    """Whether the bare text leads out of the directory, on the compiler's machine too (``C:`` and backslashes)."""
    parts = PurePosixPath(location.replace("\\", "/"))
    depth = 0
    for part in parts.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return parts.is_absolute() or PureWindowsPath(location).drive != ""


def load(tensor: TensorProto, extent: Extent) -> None:
    """Puts the data into the tensor."""
    assert extent.path is not None and not extent.problem
    with extent.path.open("rb") as stream:
        stream.seek(extent.offset)
        tensor.raw_data = stream.read(extent.length)
    del tensor.external_data[:]
    tensor.ClearField("data_location")


def size_of(tensor: TensorProto) -> int | None:
    """Bytes of a tensor of that type and shape; None where there is no such size."""
    kinds = set(TensorProto.DataType.values()) - {TensorProto.UNDEFINED, TensorProto.STRING}
    if tensor.data_type not in kinds or min(tensor.dims, default=0) < 0:
        return None
    count = math.prod(tensor.dims)
    shared = _PER_BYTE.get(tensor.data_type)
    if shared is not None:
        return -(-count // shared)
    try:
        return count * int(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
    except KeyError:  # a type of ONNX that numpy has no counterpart for
        return None


_PER_BYTE = {
    getattr(TensorProto, name): count
    for name, count in (("UINT4", 2), ("INT4", 2), ("FLOAT4E2M1", 2), ("UINT2", 4), ("INT2", 4))
    if hasattr(TensorProto, name)
}


def _missing(path: Path, location: str, offset: int, length: int, wanted: int) -> str:
    if not path.is_file():
        return f"{location} is not there"
    if offset < 0 or path.stat().st_size < offset + length:
        return f"{location} has {path.stat().st_size} bytes, the tensor wants {length} from {offset} on"
    return (
        "" if length == wanted else f"{length} bytes in {location} do not fill the shape, it wants {wanted}"
    )


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
