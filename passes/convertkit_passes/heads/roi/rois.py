"""RoIs that tell a multi-level extractor from anything that is nearly one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convertkit_passes.heads.roi.pooling import Pooling
from convertkit_passes.heads.roi.probe import Float32

DIGITS = 22
"""Bits of a corner. Two fewer than fp32 has: shifting by half a feature pixel and dividing by a stride that is a power
of two are then exact, and both implementations see the same samples to the last bit."""

BESIDE = (3e-5, 3e-4, 1e-2)
"""How far beside a bound RoIs are asked, relative."""

EPSILON = 2e-5
"""Nearer to a bound than this, relative, frameworks may choose differently (``levels.NEAR``)."""

LARGEST = 4.0
"""The largest RoIs, in the last bound."""

ASPECTS = (1.0, 0.5, 3.0)


@dataclass(frozen=True)
class Questions:
    """RoIs to compare, and which of them are special.

    Args:
        rois: ``(M, 5) float32``: image, x1 y1 x2 y2.
        level: ``(M,)``: the level each belongs to, in the order of size.
        small: ``(M,)``: less than one feature pixel of its level wide or high.
    """

    rois: Float32
    level: np.ndarray
    small: np.ndarray


def questions(
    pooling: Pooling, finest: int, order: tuple[int, ...], image: int | None, count: int
) -> Questions:
    """RoIs of all sizes, beside every bound, smaller than a feature pixel, and unused slots (all zero).

    Args:
        order: positions of the levels in ``pooling``, finest first.
        image: the number of the only image that is asked for; None: all.
    """
    random = np.random.default_rng(1)
    scales = np.array([pooling.scales[index] for index in order])
    bounds = finest * 2.0 ** np.arange(1, pooling.levels)
    scale, aspect = _sizes(random, scales, bounds, count)
    corners = np.zeros((count, 4))
    for axis, side in enumerate((scale / np.sqrt(aspect), scale * np.sqrt(aspect))):
        start = _starts(random, side, pooling.image[axis], pooling.bins[axis] * pooling.samples)
        beside = start[: len(bounds) * len(BESIDE) * 2]
        beside[beside > 64] %= 64  # near the origin fp32 is fine enough for them
        corners[:, 1 - axis], corners[:, 3 - axis] = start, start + side
    rois = np.zeros((count, 5), np.float32)
    rois[:, 0] = random.integers(0, pooling.images, count) if image is None else image
    rois[:, 1:] = _rounded(corners)
    rois[-max(1, count // 16) :, 1:] = 0
    return _sorted_out(rois, scales, bounds)


def moved(rois: Float32) -> Float32:
    """The same RoIs a little to the side, as large as before."""
    shifted = rois.copy()
    shifted[:, [1, 3]] += np.float32(0.0625)
    shifted[:, [2, 4]] += np.float32(0.046875)
    return shifted


def _sizes(
    random: np.random.Generator, scales: np.ndarray, bounds: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scales in pixels and width by height: beside the bounds, thinner or smaller than a feature pixel, and any.

    Every level gets the same number of the last kind.
    """
    low = np.concatenate([[min(1.1 / scales[0], bounds[0] / 2)], bounds])
    high = np.concatenate([bounds, [bounds[-1] * LARGEST]])
    level = np.arange(count) % len(scales)
    scale = low[level] * (high[level] / low[level]) ** random.random(count)
    aspect = 4.0 ** random.uniform(-1, 1, count)
    beside = [bound * (1 + sign * off) for off in BESIDE for bound in bounds for sign in (1, -1)]
    first = min(len(beside), count // 2)
    scale[:first], aspect[:first] = beside[:first], random.choice(ASPECTS, first)
    thin = slice(first, first + count // 8)
    side = random.uniform(0.2, 1, count) / scales[level]
    aspect[thin] = (side[thin] / scale[thin]) ** 2
    tiny = slice(first + count // 8, first + count // 6)
    scale[tiny] = side[tiny]
    return scale, aspect


def _rounded(corners: np.ndarray) -> np.ndarray:
    """Corners of :data:`DIGITS` bits, the same last bit for all four."""
    largest = np.abs(corners).max(axis=1, keepdims=True)
    step = 2.0 ** (np.ceil(np.log2(largest + 1)) - DIGITS)
    return np.asarray(np.round(corners / step) * step)


def _starts(random: np.random.Generator, side: np.ndarray, extent: float, samples: int) -> np.ndarray:
    """Where RoIs begin along one axis: most inside the image where they fit, all others with a sample in it.

    Args:
        samples: along the axis; 0: adaptive, one per feature pixel.
    """
    count = len(side)
    share = (random.integers(0, samples, count) + 0.5) / samples if samples else random.random(count)
    across = random.random(count) * extent - share * side
    inside = random.random(count) * (extent - side)
    return np.where((side < extent) & (random.random(count) < 0.7), inside, across)


def _sorted_out(rois: Float32, scales: np.ndarray, bounds: np.ndarray) -> Questions:
    """RoIs too near to a bound become unused slots."""
    sides = rois[:, 3:].astype(np.float64) - rois[:, 1:3]
    close = (np.abs(_scale(sides)[:, None] / bounds - 1) < EPSILON).any(axis=1)
    rois[close, 1:], sides[close] = 0, 0
    level = (_scale(sides)[:, None] >= bounds).sum(axis=1)
    return Questions(rois, level, sides.min(axis=1) * scales[level] < 1)


def _scale(sides: np.ndarray) -> np.ndarray:
    scale: np.ndarray = np.sqrt(sides[:, 0] * sides[:, 1])
    return scale
