"""What ``verify`` holds grows so little that val2017 stays below 1 GB: measured in processes of their own."""

from __future__ import annotations

import sys

import pytest

from bench.scale import one
from convertkit.verification.metrics import WHOLE
from tests.shared import SHARED, needs_shared

BOUND = 1000
"""MB."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_memory_grows_so_little_that_5000_photos_fit() -> None:
    few, many = one("run:100"), one("run:600")

    growth = (many.peak - few.peak) / (many.photos - few.photos)
    assert many.peak + growth * 5000 < BOUND


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@needs_shared
def test_scoring_stays_below_the_bound_beyond_what_the_evaluator_holds() -> None:
    many = one(f"figures:{WHOLE + 400}", SHARED / "data")

    assert many.peak < 0.6 * BOUND
