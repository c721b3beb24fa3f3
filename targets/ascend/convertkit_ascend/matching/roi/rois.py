"""RoIs that tell a multi-level extractor from anything that is nearly one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convertkit_ascend.matching.roi.pooling import Pooling
from convertkit_ascend.matching.roi.probe import Float32

GRID = 1024
"""Corners are multiples of 1 / 1024 px: strides of powers of two then divide them exactly in fp32, so that both
implementations see the same samples to the last bit."""

BESIDE = (3e-5, 3e-4, 1e-2)
"""How far beside a bound RoIs are asked, relative."""

EPSILON = 2e-5
"""Nearer to a bound than this, relative, framework and operator may choose differently (``levels.NEAR``)."""

LARGEST = 4.0
"""The largest RoIs, in the last bound."""

ASPECTS = (1.0, 0.5, 3.0)


@dataclass(frozen=True)
class Questions:
    """RoIs to compare, and which of them are special.

    Args:
        rois: ``(M, 5) float32``: picture, x1 y1 x2 y2.
        level: ``(M,)``: the level each belongs to, in the order of size.
        small: ``(M,)``: less than one feature pixel of its level wide or high.
    """

    rois: Float32
    level: np.ndarray
    small: np.ndarray


def questions(
    pooling: Pooling, finest: int, order: tuple[int, ...], picture: int | None, count: int
) -> Questions:
    """RoIs of all sizes, beside every bound, smaller than a feature pixel, and unused slots (all zero).

    Args:
        order: positions of the levels in ``pooling``, finest first.
        picture: the number of the only picture that is asked for; None: all.
    """
    random = np.random.default_rng(1)
    bounds = finest * 2.0 ** np.arange(1, pooling.levels)
    scale, aspect = _sizes(random, pooling, bounds, order, count)
    width, height = scale * np.sqrt(aspect), scale / np.sqrt(aspect)
    rois = np.zeros((count, 5))
    rois[:, 0] = random.integers(0, pooling.pictures, count) if picture is None else picture
    for axis, side in enumerate((height, width)):
        start = _starts(random, side, pooling.picture[axis], pooling.bins[axis] * pooling.samples)
        rois[:, 2 - axis] = np.round(start * GRID) / GRID
        rois[:, 4 - axis] = rois[:, 2 - axis] + np.round(side * GRID) / GRID
    rois[:: max(8, count // 8)] = [0 if picture is None else picture, 0, 0, 0, 0]
    return _sorted_out(rois.astype(np.float32), pooling, bounds, order)


def moved(rois: Float32) -> Float32:
    """The same RoIs a little to the side, as large as before."""
    shifted = rois.copy()
    shifted[:, [1, 3]] += np.float32(61 / GRID)
    shifted[:, [2, 4]] += np.float32(43 / GRID)
    return shifted


def _sizes(
    random: np.random.Generator, pooling: Pooling, bounds: np.ndarray, order: tuple[int, ...], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scales in pixels and width by height: the same number for every level, some beside the bounds, some small."""
    scales = np.array([pooling.scales[index] for index in order])
    low = np.concatenate([[min(1.1 / scales[0], bounds[0] / 2)], bounds])
    high = np.concatenate([bounds, [bounds[-1] * LARGEST]])
    level = np.arange(count) % len(order)
    scale = low[level] * (high[level] / low[level]) ** random.random(count)
    aspect = 4.0 ** random.uniform(-1, 1, count)
    beside = np.array([(bound * (1 + sign * off), a) for bound in bounds for off in BESIDE for sign in (1, -1)
                       for a in ASPECTS])  # fmt: skip
    share = min(len(beside), count // 3)
    chosen = random.permutation(len(beside))[:share]
    scale[:share], aspect[:share] = beside[chosen, 0], beside[chosen, 1]
    thin = slice(share, share + count // 8)
    side = random.uniform(0.2, 1, count) / scales[level]
    aspect[thin] = (side[thin] / scale[thin]) ** 2
    tiny = slice(share + count // 8, share + count // 6)
    scale[tiny] = side[tiny]
    return scale, aspect


def _starts(random: np.random.Generator, side: np.ndarray, extent: float, samples: int) -> np.ndarray:
    """Where RoIs begin along one axis: most inside the picture where they fit, all others with a sample in it.

    Args:
        samples: along the axis; 0: adaptive, one per feature pixel.
    """
    count = len(side)
    share = (random.integers(0, samples, count) + 0.5) / samples if samples else random.random(count)
    across = random.random(count) * extent - share * side
    inside = random.random(count) * (extent - side)
    return np.where((side < extent) & (random.random(count) < 0.7), inside, across)


def _sorted_out(rois: Float32, pooling: Pooling, bounds: np.ndarray, order: tuple[int, ...]) -> Questions:
    """RoIs too near to a bound become unused slots."""
    sides = rois[:, 3:].astype(np.float64) - rois[:, 1:3]
    scale = np.sqrt(sides[:, 0] * sides[:, 1])
    close = (np.abs(scale[:, None] / bounds - 1) < EPSILON).any(axis=1)
    rois[close, 1:] = 0
    scale[close] = 0
    sides[close] = 0
    level = (scale[:, None] >= bounds).sum(axis=1)
    pixels = sides.min(axis=1) * np.array([pooling.scales[index] for index in order])[level]
    return Questions(rois, level, pixels < 1)
