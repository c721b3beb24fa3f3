"""Whether what ATC left is a whole offline model.

The header of an ``.om`` is 256 bytes: ``IMOD``, the header's length, a version, 64 bytes of checksum, then the length
of what follows, all 32-bit little-endian (public ``ModelFileHeader`` of the graph engine, which refuses a file whose
length differs). A file of 4 GiB or more cannot say its length there, so only a file that is too short is refused.
"""

from __future__ import annotations

import struct
from pathlib import Path

MAGIC = b"IMOD"
HEADER_BYTES = 256
_LENGTH_AT = 4 + 4 + 4 + 64


def find_om(directory: Path, stem: str) -> list[Path]:
    """The models in ``directory``: ``stem.om`` or, for a host, ``stem_<os>_<arch>.om`` (ascend-facts: atc-output)."""
    exact = directory / f"{stem}.om"
    return [exact] if exact.is_file() else sorted(directory.glob(f"{stem}_*_*.om"))


def defect(path: Path) -> str:
    """What is wrong with an offline model, a few words; empty for a whole one."""
    size = path.stat().st_size
    if size == 0:
        return "is empty"
    with path.open("rb") as stream:
        header = stream.read(HEADER_BYTES)
    if header[: len(MAGIC)] != MAGIC[: len(header)]:
        return f"is no offline model: it begins with {header[:4]!r}, not {MAGIC!r}"
    if size < HEADER_BYTES:
        return f"is cut short: {size} bytes, less than its header"
    (length,) = struct.unpack_from("<I", header, _LENGTH_AT)
    if size < HEADER_BYTES + length:
        return f"is cut short: {size} of {HEADER_BYTES + length} bytes"
    return ""
