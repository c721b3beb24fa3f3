"""Records that wait in a file, in their order, and choices of them: sequences that hold none."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

import msgspec
import numpy as np

from convertkit.storage.shelf import Shelf

T = TypeVar("T")

BLOCK = 1 << 18
"""Bytes of JSON that are put down together, and decoded together."""


class Filed(Sequence[T]):
    """Records of a kind, put down as JSON that is decoded anew whenever they are asked for.

    Where they are iterated over, a block of :data:`BLOCK` bytes is held; a single one costs the reading of its block.
    """

    def __init__(self, kind: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(list[kind], strict=False)  # type: ignore[valid-type]
        self._shelf, self._starts = Shelf[int](), [0]
        self._waiting: list[bytes] = []
        self._bytes = 0

    def add(self, raw: bytes) -> None:
        """Puts down one, which is known to be of the kind.

        Raises:
            StoreError: the disk is full or gone.
        """
        self._waiting.append(raw)
        self._bytes += len(raw)
        if self._bytes >= BLOCK:
            self._shelf.add(len(self._starts) - 1, _list(self._waiting))
            self._starts.append(len(self))
            self._waiting, self._bytes = [], 0

    def __len__(self) -> int:
        return self._starts[-1] + len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        for block in range(len(self._starts)):
            yield from self._block(block)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        numbers = range(len(self))[index]
        if isinstance(numbers, range):
            return [self[number] for number in numbers]
        block = bisect_right(self._starts, numbers) - 1
        return self._block(block)[numbers - self._starts[block]]

    def _block(self, number: int) -> list[T]:
        last = number == len(self._starts) - 1
        return self._decoder.decode(_list(self._waiting) if last else self._shelf.of(number))


class Some(Sequence[T]):
    """Those of a sequence that were chosen, in their order; a byte of each of the others is held."""

    def __init__(self, of: Sequence[T], chosen: Callable[[T], bool]) -> None:
        self._of = of
        self._chosen = np.fromiter((chosen(one) for one in of), np.bool_, len(of))

    def __len__(self) -> int:
        return int(self._chosen.sum())

    def __iter__(self) -> Iterator[T]:
        return itertools.compress(self._of, self._chosen)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        places = np.flatnonzero(self._chosen)[index]
        return (
            [self._of[place] for place in places.tolist()]
            if isinstance(index, slice)
            else self._of[int(places)]
        )


def _list(raw: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(raw) + b"]"
