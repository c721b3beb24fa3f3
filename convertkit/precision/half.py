"""The limits of fp16 (IEEE 754 binary16, rounding to nearest even)."""

from __future__ import annotations

import math

LARGEST = 65504.0
TOO_LARGE = 65520.0
"""From this magnitude on a number rounds to infinity: half a spacing above the largest."""

TOO_SMALL = 2.0**-25
"""Up to this magnitude a number rounds to zero: half of the smallest there is; the tie goes to even."""


SMALLEST = 2.0**-24
NORMAL = 2.0**-14
"""Below this magnitude numbers are no closer to each other than at it."""


def spacing(magnitude: float) -> float:
    """The distance of neighbouring fp16 numbers at a magnitude: a number is off by half of that at most.

    >>> spacing(1215.0), spacing(96000.0)
    (1.0, inf)
    """
    if not magnitude < TOO_LARGE:
        return math.inf
    return float(2.0 ** (math.frexp(max(min(magnitude, LARGEST), NORMAL))[1] - 11))
