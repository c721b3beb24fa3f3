"""Checkpoints written by hand: the pickles of torch and of trainers' classes, with neither of them installed.

The export tests read the same kinds as torch itself writes them.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

STORAGES = {
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "uint16": "BFloat16Storage",
}

STATE = {
    "backbone.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "backbone.count": np.array(7),
    "fc_cls.bias": np.array([1.5, -2, 3, 4], np.float16),
}
SECOND = {name: np.asarray(value + 1, value.dtype) for name, value in STATE.items()}


@dataclass
class Made:
    """An object of a class that this interpreter need not have: ``function(*arguments)``, then its state."""

    function: str
    arguments: tuple[Any, ...] = ()
    state: Any = None


class Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Writes arrays as torch writes tensors, and :class:`Made` by the name of its class."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=2)
        self.arrays: list[np.ndarray[Any, Any]] = []

    def save(self, found: Any, save_persistent_id: bool = True) -> None:
        if isinstance(found, Made):
            self.global_(found.function)
            super().save(found.arguments)
            self.write(pickle.REDUCE)
            if found.state is not None:
                super().save(found.state)
                self.write(pickle.BUILD)
        elif isinstance(found, np.ndarray):
            self.tensor(found)
        else:
            super().save(found, save_persistent_id)

    def global_(self, name: str) -> None:
        module, _, last = name.rpartition(".")
        self.write(f"c{module}\n{last}\n".encode())

    def tensor(self, array: np.ndarray[Any, Any]) -> None:
        self.global_("torch._utils._rebuild_tensor_v2")
        self.write(pickle.MARK + pickle.MARK)
        super().save("storage")
        self.global_(f"torch.{STORAGES[array.dtype.name]}")
        for part in (str(len(self.arrays)), "cpu", array.size):
            super().save(part)
        self.write(pickle.TUPLE + pickle.BINPERSID)
        for part in (
            0,
            array.shape,
            tuple(step // array.itemsize for step in array.strides),
            False,
            OrderedDict(),
        ):
            super().save(part)
        self.write(pickle.TUPLE + pickle.REDUCE)
        self.arrays.append(array)


def write(path: Path, content: Any, *, legacy: bool = False) -> Path:
    """Write ``content`` as ``torch.save`` of today, or of before 1.6."""
    stream = io.BytesIO()
    pickler = Pickler(stream)
    pickler.dump(content)
    arrays = [np.ascontiguousarray(array).tobytes() for array in pickler.arrays]
    if legacy:
        system = {
            "protocol_version": 1001,
            "little_endian": True,
            "type_sizes": {"short": 2, "int": 4, "long": 4},
        }
        heads = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, system)]
        keys = pickle.dumps([str(key) for key in range(len(arrays))], 2)
        tails = [
            struct.pack("<q", array.size) + data for array, data in zip(pickler.arrays, arrays, strict=True)
        ]
        path.write_bytes(b"".join([*heads, stream.getvalue(), keys, *tails]))
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", stream.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, data in enumerate(arrays):
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", "3\n")
    return path


def read(path: Path, **how: Any) -> Any:
    from export.checkpoint.read import read_checkpoint

    return read_checkpoint(path, **how)


def refusal(path: Path, **how: Any) -> str:
    from export.errors import JobError

    with pytest.raises(JobError) as caught:
        read(path, **how)
    line = f"{caught.value} ({caught.value.hint})"
    assert "\n" not in line
    assert str(path) in line
    return line


def same(found: Any, expected: dict[str, Any]) -> bool:
    arrays = found.arrays()
    return list(arrays) == list(expected) and all(
        arrays[name].dtype == value.dtype and np.array_equal(arrays[name], value)
        for name, value in expected.items()
    )
