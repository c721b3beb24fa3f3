"""Where the levels of a RoI begin, as areas that standard operators can compare with.

Both rules choose the level from the area of a RoI alone and never a lower one for a larger area. So each is
*how many bounds the area exceeds*, and the bounds can be measured on :mod:`convertkit.heads.roi_levels`: what is
lowered then agrees with it to the last bit, whatever ``Sqrt`` or ``Log`` of a runtime round to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convertkit.heads.roi_levels import RULES

_LARGEST = 0x7F7FFFFF
"""The bits of the largest finite float32. Bits of positive floats are ordered as their values."""


def area_bounds(at_bound: str, finest: float, levels: int) -> NDArray[np.float32]:
    """The largest area that belongs below level 1, 2, ...

    Args:
        finest: the attribute ``finest_scale``, pixels.

    Returns:
        ``(levels - 1,) float32``, square pixels, ascending.
    """
    wanted = np.arange(1, levels)
    below, reaches = np.zeros(levels - 1, np.int64), np.full(levels - 1, _LARGEST + 1, np.int64)
    while (reaches - below > 1).any():
        middle = (below + reaches) // 2
        high = _level(at_bound, middle, finest, levels) >= wanted
        below, reaches = np.where(high, below, middle), np.where(high, middle, reaches)
    return below.astype(np.uint32).view(np.float32)


def _level(at_bound: str, bits: NDArray[np.int64], finest: float, levels: int) -> NDArray[np.int64]:
    """The level of RoIs one pixel high, whose area is their width to the last bit."""
    rois = np.zeros((len(bits), 5), np.float32)
    rois[:, 3], rois[:, 4] = bits.astype(np.uint32).view(np.float32), 1
    return RULES[at_bound](rois, finest, levels)
