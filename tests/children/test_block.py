"""Arrays in shared memory: what is written is read, by another holder too, and lent blocks come back."""

from __future__ import annotations

import os

import numpy as np
import pytest

from convertkit.children import block
from convertkit.children.block import ALIGNMENT, Block, Pool

ARRAYS = [
    np.arange(7, dtype=np.int8),
    np.array(2.5, np.float64),
    np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    np.empty((0, 4), np.float16),
    np.arange(10, dtype=">i4")[::-2],
    np.array([True, False]),
]


def same(found, wanted):
    assert [(array.dtype, array.shape) for array in found] == [(array.dtype, array.shape) for array in wanted]
    for array, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(array, other)
        assert array.flags.c_contiguous


@pytest.fixture(params=["memory", "file"])
def made(request, monkeypatch):
    if request.param == "file":
        monkeypatch.delattr(os, "memfd_create")
    return Block.made()


def test_another_holder_reads_what_was_written(made):
    other = Block(made.descriptor)

    for arrays in (ARRAYS, ARRAYS[:2], [*ARRAYS, np.ones((300, 100))], [], [np.empty(0)]):
        layout = made.write(arrays)

        same(other.read(layout), arrays)
        assert all(entry["offset"] % ALIGNMENT == 0 for entry in layout)


def test_either_side_may_make_it_larger(made):
    other = Block(made.descriptor)
    small = made.read(made.write([np.arange(3)]))

    layout = other.write([np.arange(3), np.ones(100_000)])

    same(made.read(layout), [np.arange(3), np.ones(100_000)])
    same(small, [np.arange(3)])


def test_it_goes_with_its_maker():
    made = Block.made()
    descriptor = made.descriptor
    kept = made.read(made.write([np.arange(3)]))

    del made

    with pytest.raises(OSError):
        os.fstat(descriptor)
    same(kept, [np.arange(3)])


def test_a_disk_without_room_is_an_error(made, monkeypatch):
    def full(descriptor, offset, length):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(block.os, "posix_fallocate", full)

    with pytest.raises(OSError, match="No space left"):
        made.write([np.arange(3)])


def test_a_lent_block_comes_back_with_the_last_of_its_arrays():
    pool = Pool(3)

    def lend():
        number = pool.next()
        return number, pool.take(number, pool.blocks[number].write([np.arange(3.0), np.arange(4)]))

    lent = [lend() for _ in range(4)]
    assert [number for number, _ in lent] == [2, 1, 0, 0]
    for _, arrays in lent:
        same(arrays, [np.arange(3.0), np.arange(4)])

    part = lent[0][1][1][1:].reshape(3, 1)
    del lent[0]
    assert pool.next() == 0
    del part

    assert pool.next() == 2
