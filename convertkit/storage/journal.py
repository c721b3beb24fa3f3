"""Files that only grow: a record a line behind its checksum, so that a kill costs at most the last one.

::

    c0b73e2f {"photo": ...}

The checksum is the CRC-32 of the record's bytes (zlib), eight hexadecimal digits. A last line without its end was cut
off: it is dropped, and cut away before the file grows again. A whole line that is not its checksum's is damaged.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from convertkit.storage.locks import store_error
from convertkit.storage.reading import open_regular

HEAD = 9
"""Bytes of a line before its record: the checksum and a blank."""


def line_of(record: bytes) -> bytes:
    """The line of a record, which has no end of a line in it."""
    return b"%08x %b\n" % (zlib.crc32(record), record)


def record_in(line: bytes) -> bytes | None:
    """The record of a whole line; None where it is damaged."""
    record = line[HEAD:-1]
    return record if line_of(record) == line else None


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every whole line of a journal, with the place in bytes where it begins; none where there is no file.

    Raises:
        UsageError: there is something that is no regular file.
    """
    if not path.exists():
        return
    with open_regular(path) as stream:
        place = 0
        for line in stream:
            if line.endswith(b"\n"):
                yield place, line
            place += len(line)


class Appender:
    """Adds records at the end of a journal, inside a ``with`` block.

    Raises:
        StoreError: the place cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Appender:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole = sum(len(line) for _, line in lines_of(self._path))
            self._stream = self._path.open("ab")
            self._stream.truncate(whole)
            self._stream.seek(whole)  # what it tells is where it was before
        except OSError as error:
            raise store_error(self._path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                with stream:
                    stream.flush()
                    os.fsync(stream.fileno())
        except OSError as failure:
            if kind is None:
                raise store_error(self._path, failure) from failure

    def add(self, record: bytes) -> int:
        """Hands a record to the system, where no kill of this process reaches it; returns where its line begins.

        Raises:
            StoreError: the disk is full or gone.
        """
        assert self._stream is not None, "add() belongs inside the with block"
        try:
            place = self._stream.tell()
            self._stream.write(line_of(record))
            self._stream.flush()
        except OSError as error:
            raise store_error(self._path, error) from error
        return place
