"""Plain weights, written without torch: safetensors, or the zip that ``torch.load(weights_only=True)`` reads."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from export.errors import JobError, PlaceError

from . import safetensors
from .inert import DTYPES

_STORAGES = {dtype: name for name, dtype in DTYPES.items() if name != "BFloat16Storage"}


def write_weights(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write ``path``; its ending says which of the two forms.

    Raises:
        JobError: the ending is neither, or the place cannot be written.
    """
    if path.suffix not in (".pth", ".pt", ".safetensors"):
        raise JobError(f"{path.name}: unknown ending", "name it .pth or .safetensors")
    content = safetensors.write(arrays) if path.suffix == ".safetensors" else _zip(arrays)
    write_file(path, content)


def write_file(path: Path, content: bytes) -> None:
    """Write a file that whoever asked for it moves to its place when all is done: a killed worker cleans nothing up.

    Raises:
        PlaceError: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        line = f"{path.name}: cannot be written: {error.strerror}"
        raise PlaceError(line, "check the place and its free space") from error


def _zip(arrays: dict[str, NDArray[Any]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        # ZipInfo has the date of no day: the same weights give the same bytes.
        archive.writestr(zipfile.ZipInfo("weights/data.pkl"), _pickle(arrays))
        archive.writestr(zipfile.ZipInfo("weights/byteorder"), "little")
        for key, array in enumerate(arrays.values()):
            archive.writestr(zipfile.ZipInfo(f"weights/data/{key}"), array.tobytes())
        archive.writestr(zipfile.ZipInfo("weights/version"), "3\n")
    return target.getvalue()


def _pickle(arrays: dict[str, NDArray[Any]]) -> bytes:
    """``{"state_dict": {name: tensor}}``, opcode by opcode: it names objects of torch, which is not here."""
    ordered = b"ccollections\nOrderedDict\n)R"
    parts = [b"\x80\x02}", _text("state_dict"), ordered, b"("]
    for key, (name, array) in enumerate(arrays.items()):
        storage = _STORAGES[array.dtype.str.replace("|b1", "?").replace("|", "<")]
        strides = tuple(step // array.itemsize for step in array.strides)
        place = b"(" + _text("storage") + f"ctorch\n{storage}\n".encode() + _text(str(key)) + _text("cpu")
        place += _number(array.size) + b"tQ"
        shape = b"".join(b"(" + b"".join(map(_number, sizes)) + b"t" for sizes in (array.shape, strides))
        parts += [
            _text(name),
            b"ctorch._utils\n_rebuild_tensor_v2\n(",
            place,
            b"K\x00",
            shape,
            b"\x89",
            ordered,
            b"tR",
        ]
    return b"".join([*parts, b"us."])


def _text(text: str) -> bytes:
    content = text.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def _number(value: int) -> bytes:
    return pickle.LONG1 + b"\x08" + struct.pack("<q", value)
