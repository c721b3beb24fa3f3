"""Which of several sizes a picture goes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.detection.letterbox import placement
from convertkit.detection.profiles import best_size, parse_size, size_text
from convertkit.detection.settings import PreprocessSpec

SPEC = PreprocessSpec(mean=(0, 0, 0), std=(1, 1, 1))
SIDES = st.integers(1, 5000)
SIZES = st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=6, unique=True)


@pytest.mark.slow
@given(SIDES, SIDES, SIZES)
def test_no_other_size_shows_the_picture_larger(height, width, sizes):
    best = best_size(height, width, sizes)

    assert best in sizes
    chosen = placement(height, width, best, SPEC)
    for size in sizes:
        other = placement(height, width, size, SPEC)
        assert (other.resized_height, other.resized_width) <= (chosen.resized_height, chosen.resized_width)


@pytest.mark.parametrize(
    ("height", "width", "best"),
    [(480, 640, (800, 1216)), (640, 480, (1216, 800)), (500, 500, (800, 1216)), (501, 500, (1216, 800))],
)
def test_a_tie_goes_to_the_first(height, width, best):
    assert best_size(height, width, [(800, 1216), (1216, 800)]) == best


@given(st.tuples(st.integers(1, 99999), st.integers(1, 99999)))
def test_a_size_is_read_as_it_is_written(size):
    assert parse_size(size_text(size)) == size


@pytest.mark.parametrize("text", ["", "8", "8x", "0x8", "8x8x8", " 8x8", "8X8", "8x123456", "-8x8", "٣x٣"])
def test_other_texts_are_no_size(text):
    assert parse_size(text) is None
