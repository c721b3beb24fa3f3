"""Compressed masks from strangers: whole, or refused with a reason."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convertkit.detection.rle import problem

canvases = hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 40)), elements=st.integers(0, 1))


def compressed(runs):
    return mask_utils.frPyObjects({"size": [1, sum(runs)], "counts": runs}, 1, sum(runs))["counts"].decode()


@given(canvases)
def test_every_mask_of_pycocotools_is_whole(canvas):
    counts = mask_utils.encode(np.asfortranarray(canvas))["counts"].decode()

    assert problem(*canvas.shape, counts) is None


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12), st.integers(1, 40), st.integers(1, 40))
def test_a_mask_is_whole_exactly_where_it_covers_its_image(runs, height, width):
    found = problem(height, width, compressed(runs))

    assert (found is None) == (sum(runs) == height * width)


def test_large_images_are_no_exception():
    assert problem(10_000, 10_000, compressed([5_000_000, 7, 94_999_993])) is None
    assert "cover less" in problem(10_000, 10_001, compressed([5_000_000, 7, 94_999_993]))


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ("", "middle of a number"),
        ("P", "middle of a number"),
        (compressed([3, 13])[:-1] + "P", "middle of a number"),
        (compressed([15]), "cover less than 4 x 4"),
        (compressed([17]), "not compressed run lengths"),
        ("\x00", "not compressed run lengths"),
        ("é", "not compressed run lengths"),
        ("o" * 40, "not compressed run lengths"),
    ],
)
def test_anything_else_is_refused_with_a_reason(counts, complaint):
    assert complaint in problem(4, 4, counts)
