"""Arrays in memory that two processes share, so that an image of 17.7 MB crosses without being sent."""

from __future__ import annotations

import math
import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.errors import GraphError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIGNMENT = 64
"""Bytes; a cache line, and more than any dtype asks for."""

Layout = list[dict[str, Any]]
"""Where each array lies: ``dtype`` as numpy spells it, ``shape``, ``offset`` in bytes. It has a JSON form."""


class Block:
    """A file without a name, one array after the other. It grows as needed and goes with its last holder.

    Both sides open it by descriptor. They take turns: nothing tells one that the other is writing.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._map: mmap.mmap | None = None

    @classmethod
    def made(cls) -> Block:
        """A new one; its descriptor is closed with it."""
        block = cls(_nameless())
        weakref.finalize(block, os.close, block.descriptor)
        return block

    def write(self, arrays: Sequence[NDArray[Any]]) -> Layout:
        """Replaces what is there; arrays of any strides come out contiguous.

        Raises:
            GraphError: an array holds Python objects.
        """
        layout, end = _laid_out(arrays)
        if os.fstat(self.descriptor).st_size < end:
            if sys.platform == "linux":
                os.posix_fallocate(
                    self.descriptor, 0, end
                )  # a full disk is an error here, and a signal later
            else:
                os.ftruncate(self.descriptor, end)
        for view, array in zip(self.read(layout), arrays, strict=True):
            np.copyto(view, array)
        return layout

    def read(self, layout: Layout) -> list[NDArray[Any]]:
        """The arrays where they lie: the next :meth:`write` of either side changes them."""
        whole = self.whole()
        return [_view(whole, entry) for entry in layout]

    def whole(self) -> NDArray[np.uint8]:
        """All of its bytes. What :meth:`Pool.take` gives keeps this array alive."""
        size = os.fstat(self.descriptor).st_size
        if size == 0:
            return np.empty(0, np.uint8)
        if self._map is None or len(self._map) < size:
            self._map = mmap.mmap(self.descriptor, size)
        return np.frombuffer(self._map, np.uint8)


class Pool:
    """Blocks for results, each lent with the arrays in it until the last of them is gone.

    Args:
        count: of blocks; while all but one are lent, arrays are copied out of that one.
    """

    def __init__(self, count: int) -> None:
        self.blocks = tuple(Block.made() for _ in range(count))
        self._free = list(range(1, count))

    def next(self) -> int:
        """The number of the block to write to now."""
        return self._free[-1] if self._free else 0

    def take(self, number: int, layout: Layout) -> list[NDArray[Any]]:
        """The arrays in a block; they stay what they are."""
        whole = self.blocks[number].whole()
        arrays = [_view(whole, entry) for entry in layout]
        if number == 0:
            return [array.copy() for array in arrays]
        self._free.remove(number)
        weakref.finalize(whole, self._free.append, number).atexit = False
        return arrays


def _view(whole: NDArray[np.uint8], entry: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape, offset = np.dtype(entry["dtype"]), tuple(entry["shape"]), entry["offset"]
    part = whole[offset : offset + math.prod(shape) * dtype.itemsize]
    array: NDArray[Any] = part.view(dtype)
    return array.reshape(shape)


def _laid_out(arrays: Sequence[NDArray[Any]]) -> tuple[Layout, int]:
    """The layout, and its size in bytes."""
    layout: Layout = []
    end = 0
    for array in arrays:
        if array.dtype.hasobject:
            raise GraphError(f"an array of {array.dtype} cannot be shared")
        offset = -(-end // ALIGNMENT) * ALIGNMENT
        layout.append({"dtype": array.dtype.str, "shape": list(array.shape), "offset": offset})
        end = offset + array.nbytes
    return layout, end


def _nameless() -> int:
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        return os.memfd_create("convertkit")
    with tempfile.TemporaryFile() as file:  # a Python that was built for an older libc
        return os.dup(file.fileno())
