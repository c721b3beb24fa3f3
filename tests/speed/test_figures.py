from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.errors import UsageError
from convertkit.speed.figures import Figures, throughput
from convertkit.speed.measure import repeat, summed_up
from convertkit.targets.timing import Timings


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=50))
def test_figures_are_numpys(times):
    found = Figures.of(times)

    assert found is not None
    assert (found.min, found.max, found.count) == (min(times), max(times), len(times))
    assert found.mean == np.mean(times)
    assert [found.median, found.p90, found.p99] == np.percentile(times, [50, 90, 99]).tolist()
    assert found.min <= found.median <= found.p90 <= found.p99 <= found.max


def test_throughput_is_1000_times_batch_by_mean_compute_time():
    # ascend-facts: ais-bench-throughput; 11.3 images/s are 88.5 ms at batch 1
    assert throughput(Figures.of([88.0, 89.0]), 1) == pytest.approx(11.299, abs=1e-3)
    assert throughput(Figures.of([50.0, 150.0]), 4) == 40.0


class Runtime:
    """Notes what it was given."""

    def __init__(self):
        self.runs = 0

    def run(self, inputs):
        self.runs += 1
        return inputs


class Clocked(Runtime):
    """Claims 5 ms of computing and 1 ms of copies each way for every run."""

    taken = 0

    def take_timings(self):
        count, self.taken = self.runs - self.taken, self.runs
        return Timings((5.0,) * count, (1.0,) * count, (1.0,) * count)


def test_warm_up_runs_are_not_counted():
    runtime, seen = Clocked(), []

    found = repeat(runtime, {}, warmup=3, loops=4, on_progress=seen.append)

    assert runtime.runs == 7
    assert (found.compute.count, found.to_device.count, found.whole.count) == (4, 4, 4)
    assert found.throughput == 200.0
    assert seen == [1, 2, 3, 4]


def test_without_a_clock_of_its_own_the_whole_call_counts_as_computing():
    found = repeat(Runtime(), {}, warmup=0, loops=3)

    assert found.compute == found.whole
    assert (found.to_device, found.from_device) == (None, None)


def test_a_record_without_times_is_refused():
    with pytest.raises(UsageError, match="no compute time above 0 in the record"):
        summed_up(Timings(), 1)
