"""torch's two formats: a zip with one entry per storage (since 1.6), and pickles followed by the storages."""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
from typing import TYPE_CHECKING, Any

from export.errors import JobError

from .inert import DTYPES, Storage, Unpickler
from .kinds import AGAIN

#: The first pickle of the format before 1.6.
_MAGIC = 0x1950A86A20F9469CFC6C
_ZIPPED = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")

if TYPE_CHECKING:
    Loaded = tuple[Any, list[str]]
    """What was pickled, and the names of classes that stand in it without being loaded."""


def read_zip(data: mmap.mmap) -> Loaded:
    """Read a checkpoint as torch writes it since 1.6.

    Raises:
        JobError: it is another zip, or cut; the message goes on after the file's name.
    """
    try:
        archive = zipfile.ZipFile(data)
    except (zipfile.BadZipFile, ValueError) as error:  # a map refuses places before its start
        raise JobError("is cut: a zip whose end is missing", AGAIN) from error
    names = archive.namelist()
    table = next((name for name in names if name.rpartition("/")[2] == "data.pkl"), None)
    if table is None:
        raise _no_checkpoint(names)
    root = table[: -len("data.pkl")]
    if f"{root}constants.pkl" in names:
        raise JobError("is a TorchScript program (torch.jit.save)", "save its state_dict() instead")
    if f"{root}byteorder" in names and bytes(_entry(data, archive, f"{root}byteorder")) != b"little":
        raise JobError("was written on a big-endian machine", "write it again on another")

    def storage(name: str, key: str, count: int) -> Storage:
        return Storage(name, count, lambda: _enough(_entry(data, archive, f"{root}data/{key}"), name, count))

    unpickler = Unpickler(io.BytesIO(_entry(data, archive, table)), storage)
    return unpickler.load(), list(unpickler.foreign)


def read_legacy(data: mmap.mmap) -> Loaded:
    """Read a checkpoint as torch wrote it before 1.6. Raises as :func:`read_zip`."""
    places: dict[str, int] = {}
    sizes: dict[str, int] = {}

    def storage(name: str, key: str, count: int) -> Storage:
        size = count * _size(name)
        sizes[key] = max(size, sizes.get(key, 0))
        return Storage(name, count, lambda: _enough(_part(data, places[key], size), name, count))

    magic = Unpickler(data, storage).load()
    if magic != _MAGIC:
        raise JobError(
            "is a pickle, but not one of torch", "save {'state_dict': model.state_dict()} with torch.save"
        )
    for _ in ("protocol", "system"):
        Unpickler(data, storage).load()
    unpickler = Unpickler(data, storage)
    content = unpickler.load()
    keys = Unpickler(data, storage).load()
    for key in keys:
        places[key] = data.tell() + 8  # after the number of elements
        data.seek(min(places[key] + sizes.get(key, 0), len(data)))
    return content, list(unpickler.foreign)


def _no_checkpoint(names: list[str]) -> JobError:
    inside = [name for name in names if name.endswith(_ZIPPED)]
    if inside:
        return JobError(f"is a zip that holds {inside[0]!r}", "unpack it, and give what is in it")
    if names and all(name.endswith(".npy") for name in names):
        return JobError("is an .npz archive of NumPy", "only checkpoints of PyTorch and safetensors are read")
    return JobError("is a zip, but no checkpoint: it has no data.pkl", "give the checkpoint itself")


def _entry(data: mmap.mmap, archive: zipfile.ZipFile, name: str) -> memoryview:
    """The bytes of an entry in place: torch does not compress, so nothing can be larger than the file."""
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise JobError(f"is damaged: it has no {name}", AGAIN) from error
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise JobError(
            "is a zip that was compressed; torch does not", "unpack it, and zip it without compression"
        )
    head = bytes(_part(data, info.header_offset, 30))
    start = info.header_offset + 30 + sum(struct.unpack("<HH", head[26:30]))
    return _part(data, start, info.file_size)


def _part(data: mmap.mmap, start: int, size: int) -> memoryview:
    if start + size > len(data):
        raise JobError(f"is cut: {start + size - len(data)} bytes at least are missing", AGAIN)
    return memoryview(data)[start : start + size]


def _enough(content: memoryview, name: str, count: int) -> memoryview:
    if len(content) < count * _size(name):
        raise JobError("is damaged: a storage is shorter than its tensors", AGAIN)
    return content


def _size(name: str) -> int:
    return 1 if DTYPES[name] == "?" else int(DTYPES[name][-1])
