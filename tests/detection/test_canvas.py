"""Canvases are lent again, but none that anybody holds."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.detection import canvas as module
from convertkit.detection.canvas import KEPT, canvas
from convertkit.detection.types import Array

SHAPE = 1, 3, 4, 5


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    module._free.clear()


def address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def test_a_canvas_is_what_a_graph_takes() -> None:
    lent = canvas(SHAPE)

    assert lent.shape == SHAPE
    assert lent.dtype == np.float32
    assert lent.flags.c_contiguous
    assert lent.flags.writeable


def test_memory_that_nobody_holds_is_lent_again() -> None:
    before = address(canvas(SHAPE))

    assert address(canvas(SHAPE)) == before


def test_memory_is_not_lent_while_a_part_of_it_is_held() -> None:
    whole = canvas(SHAPE)
    before, part = address(whole), memoryview(whole[0, 1][::2].reshape(-1).view(np.uint8)[:4])
    held = whole[0].T[1:]
    del whole, part

    assert address(canvas(SHAPE)) != before
    del held
    assert before in {address(one) for one in (canvas(SHAPE), canvas(SHAPE))}


def test_canvases_of_another_size_go() -> None:
    canvas(SHAPE)

    assert canvas((2, 2)).shape == (2, 2)
    assert [kept.shape for kept in module._free] == [(2, 2)]


def test_few_are_kept() -> None:
    del [canvas(SHAPE) for _ in range(KEPT + 3)][:]

    assert len(module._free) == KEPT
