"""What ``verify`` holds grows little with the number of photos: measured in processes of their own."""

from __future__ import annotations

import sys

import pytest

from bench.scale import one

BOUND = 1000
"""MB, whatever the number of photos that one machine is given."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_memory_is_bounded_whatever_the_number_of_photos() -> None:
    few, many = one("run:100"), one("run:600")

    assert few.peak < many.peak + 5 < BOUND
    growth = (many.peak - few.peak) / (many.photos - few.photos)
    assert many.peak + growth * 5000 < BOUND
