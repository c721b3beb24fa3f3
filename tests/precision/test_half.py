"""The limits of fp16 against numpy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.precision.extent import Extent
from convertkit.precision.half import SMALLEST, TOO_LARGE, TOO_SMALL, spacing

FLOATS = st.floats(width=32, allow_subnormal=True)


@given(st.floats(0, 65472, width=16))
def test_the_spacing_is_the_distance_to_the_next_number(magnitude: float) -> None:
    assert spacing(magnitude) == np.spacing(np.float16(magnitude))


@pytest.mark.parametrize(
    ("magnitude", "apart"),
    [
        (0.0, SMALLEST),
        (1023.9, 0.5),
        (1024.0, 1.0),
        (2047.9, 1.0),
        (65519.0, 32.0),
        (65520.0, math.inf),
        (math.nan, math.inf),
    ],
)
def test_spacing_of(magnitude: float, apart: float) -> None:
    assert spacing(magnitude) == apart


@given(st.lists(FLOATS, max_size=20))
def test_what_is_beyond_and_lost_is_what_a_cast_makes_of_it(numbers: list[float]) -> None:
    values = np.array(numbers, np.float32)
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)

    found = Extent.of(values)

    assert found.values == len(numbers)
    assert found.beyond == np.count_nonzero(~np.isfinite(half))
    assert found.lost == np.count_nonzero((half == 0) & (values != 0))
    np.testing.assert_equal(found.largest, float(np.abs(values).max(initial=0)))


@given(st.lists(FLOATS, max_size=9), st.lists(FLOATS, max_size=9))
def test_extents_add_up(first: list[float], second: list[float]) -> None:
    one, other = (Extent.of(np.array(numbers, np.float32)) for numbers in (first, second))
    both = Extent.of(np.array(first + second, np.float32))

    assert repr(one + other) == repr(both)  # NaN as well


@pytest.mark.parametrize(
    ("value", "beyond", "lost"),
    [
        (TOO_LARGE, 1, 0),
        (np.nextafter(np.float32(TOO_LARGE), np.float32(0)), 0, 0),
        (-TOO_SMALL, 0, 1),
        (np.nextafter(np.float32(TOO_SMALL), np.float32(1)), 0, 0),
        (0.0, 0, 0),
    ],
)
def test_at_the_limits(value: float, beyond: int, lost: int) -> None:
    found = Extent.of(np.array([value], np.float32))

    assert (found.beyond, found.lost) == (beyond, lost)
