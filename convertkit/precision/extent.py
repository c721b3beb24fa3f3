"""How large values are, and what fp16 would leave of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.precision.half import TOO_LARGE, TOO_SMALL


@dataclass(frozen=True)
class Extent:
    """Of the values of one tensor, over everything it was seen with.

    Attributes:
        largest: magnitude; infinite or NaN where a value is.
        values: how many there were.
        beyond: how many of them are infinite in fp16, or NaN.
        lost: how many are not zero, but zero in fp16.
    """

    largest: float = 0.0
    values: int = 0
    beyond: int = 0
    lost: int = 0

    def __add__(self, other: Extent) -> Extent:
        return Extent(
            float(np.maximum(self.largest, other.largest)),  # NaN stays NaN
            self.values + other.values,
            self.beyond + other.beyond,
            self.lost + other.lost,
        )

    @classmethod
    def of(cls, values: NDArray[Any]) -> Extent:
        """Of an array of any floating type."""
        sizes = np.abs(values)
        largest, count = float(sizes.max(initial=0.0)), int(values.size)
        beyond = 0 if largest < TOO_LARGE else count - int(np.count_nonzero(sizes < TOO_LARGE))
        lost = int(np.count_nonzero(sizes <= TOO_SMALL)) - (count - int(np.count_nonzero(values)))
        return cls(largest, count, beyond, lost)
