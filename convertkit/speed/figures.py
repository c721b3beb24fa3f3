"""Many times as a few figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct


class Figures(Struct, frozen=True):
    """Milliseconds; percentiles are interpolated linearly, as numpy does."""

    mean: float
    median: float
    p90: float
    p99: float
    min: float
    max: float
    count: int

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Figures | None:
        """The figures of at least one time; None where there is none."""
        if not milliseconds:
            return None
        values = np.asarray(milliseconds, np.float64)
        median, p90, p99 = (float(value) for value in np.percentile(values, [50, 90, 99]))
        return cls(
            float(values.mean()), median, p90, p99, float(values.min()), float(values.max()), len(values)
        )


def throughput(compute: Figures, batch: int) -> float:
    """Images per second of computing alone."""
    return 1000 * batch / compute.mean
