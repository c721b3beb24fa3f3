"""Bytes by key that need not stay in memory: what is put down once, and taken up again piece by piece."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Hashable
from typing import Generic, TypeVar

from convertkit.storage.locks import store_error
from convertkit.storage.temporary import temporary_place

K = TypeVar("K", bound=Hashable)

HELD = 16 << 20
"""Bytes that stay in memory; more go to a file in ``TMPDIR`` that has no name, and goes with its shelf."""


class Shelf(Generic[K]):
    """Bytes by key. Memory holds where they lie: a hundred bytes for each call of :meth:`add`."""

    def __init__(self) -> None:
        place = str(temporary_place())
        self._file = tempfile.SpooledTemporaryFile(max_size=HELD, dir=place)  # noqa: SIM115 - closed when it goes
        weakref.finalize(self, self._file.close)
        self._places: dict[K, list[tuple[int, int]]] = {}
        self._end = 0

    def add(self, key: K, data: bytes) -> None:
        """Puts bytes behind those that the key has.

        Raises:
            StoreError: the disk is full or gone.
        """
        try:
            self._file.seek(self._end)
            self._file.write(data)
        except OSError as error:
            raise store_error(temporary_place(), error) from error
        self._places.setdefault(key, []).append((self._end, len(data)))
        self._end += len(data)

    def of(self, key: K) -> bytes:
        """All bytes of a key, in the order in which they came; none of one that nobody put down."""
        return b"".join(self._read(*place) for place in self._places.get(key, ()))

    def _read(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        return self._file.read(size)
