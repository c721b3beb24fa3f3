"""Which feature level a RoI is pooled from. The level is -1 where no level takes it.

``scale = sqrt((x2 - x1) * (y2 - y1))`` in pixels of the image, without + 1, in both rules.

Left open by the sources, and chosen: a RoI with exactly one inverted side has a negative area and no scale (NaN), so
no level takes it. mmdet's masks leave its features 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Levels: TypeAlias = Callable[[Float32, float, int], Ints]

NONE = -1

EPSILON = np.float32(1e-6)
"""mmdet ``SingleRoIExtractor.map_roi_levels``."""


def up(rois: Float32, finest: float, levels: int) -> Ints:
    """``floor(log2(scale / finest + 1e-6))`` clamped to the levels, as in mmdet; one level takes everything.

    Args:
        rois: ``(K, 5) float32``: index, x1 y1 x2 y2.
        finest: pixels; a RoI of twice that scale goes up to level 1.
    """
    if levels == 1:
        return np.zeros(len(rois), np.int64)
    with np.errstate(all="ignore"):
        level = np.floor(np.log2(scale(rois) / np.float32(finest) + EPSILON))
    return _whole(np.clip(level, 0, levels - 1))


def down(rois: Float32, finest: float, levels: int) -> Ints:
    """Level 0 up to ``2 * finest`` inclusive, level i up to ``2 * finest * 2**i`` inclusive, the last one above."""
    if levels == 1:
        return np.zeros(len(rois), np.int64)
    bounds = np.float32(finest) * np.exp2(np.arange(1, levels, dtype=np.float32))
    return above(scale(rois), bounds)


RULES: dict[str, Levels] = {"up": up, "down": down}
"""Where a RoI goes whose scale is a bound between two levels."""


def scale(rois: Float32) -> Float32:
    """``(K,)`` pixels."""
    with np.errstate(all="ignore"):
        return np.sqrt((rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2]))


def above(scale: NDArray[np.floating], bounds: NDArray[np.floating]) -> Ints:
    """How many bounds are exceeded."""
    level = (scale[:, None] > bounds).sum(axis=1)
    return np.where(np.isnan(scale), NONE, level)


def _whole(level: Float32) -> Ints:
    return np.where(np.isnan(level), NONE, np.nan_to_num(level)).astype(np.int64)
