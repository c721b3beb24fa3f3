"""Which feature level the 310P's kernel pools a RoI from. The level is -1 where no level takes it.

Left open by the source, and chosen: the kernel leaves its output unwritten for a RoI without a scale
(ascend-facts: roi-open), here 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convertkit.api import heads


def device(rois: NDArray[np.float32], finest: float, levels: int) -> NDArray[np.int64]:
    """As *ideal*, with the scale rounded to fp16 before it is compared (``map_roi_levels``; ascend-facts: roi-levels).

    A single level is level 0 of several to the kernel: RoIs above ``2 * finest`` belong to no level. The kernel
    computes the root as 1 / rsqrt in fp32, whose last bit is not modelled.
    """
    bounds32 = np.float32(finest) * np.exp2(np.arange(1, max(levels, 2), dtype=np.float32))
    with np.errstate(over="ignore"):
        scale, bounds = heads.scale(rois).astype(np.float16), bounds32.astype(np.float16)
    level = heads.above(scale, bounds)
    return np.where(level < levels, level, heads.NONE)
