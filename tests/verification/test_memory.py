"""What ``verify`` holds grows so little that val2017 stays below 1 GB: measured in processes of their own."""

from __future__ import annotations

import sys

import pytest

from bench.scale import one

BOUND = 1000
"""MB."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_memory_grows_so_little_that_5000_photos_fit() -> None:
    few, many = one("run:100"), one("run:600")

    growth = (many.peak - few.peak) / (many.photos - few.photos)
    assert many.peak + growth * 5000 < BOUND
