"""Arithmetic on boxes, ``(N, 4) x1 y1 x2 y2``: the corner x2 y2 is outside, so that the width is x2 - x1."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.detection.types import Array

Float64: TypeAlias = NDArray[np.float64]


def iou(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> Float64:
    """Intersection over union of every pair.

    Args:
        a: ``(N, 4) x1 y1 x2 y2``.
        b: ``(M, 4) x1 y1 x2 y2``, the same unit.

    Returns:
        ``(N, M) float64`` in 0..1. A box without area, inverted, or with a coordinate that is not finite
        overlaps nothing, not even itself.
    """
    first, second = _proper(a), _proper(b)
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    size = np.maximum(high - low, 0.0)
    overlap: Float64 = size[..., 0] * size[..., 1]
    union: Float64 = area(first)[:, None] + area(second)[None, :] - overlap
    result: Float64 = np.divide(overlap, union, out=np.zeros_like(overlap), where=overlap > 0)
    return result


def area(boxes: NDArray[np.floating[Any]]) -> Float64:
    """``(N,) float64``, in the square of the boxes' unit; negative or NaN where a box is no box."""
    corners = np.asarray(boxes, np.float64)
    result: Float64 = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return result


def clip(boxes: Array, height: int, width: int) -> Array:
    """The boxes cut at the borders of an image of ``height`` x ``width`` pixels, ``(N, 4) float32``.

    A mask belongs to the box it was predicted for: paste with the box as it was, then clip what is reported.
    """
    limit = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, np.float32(0), limit).astype(np.float32, copy=False)


def _proper(boxes: NDArray[np.floating[Any]]) -> Float64:
    """``(N, 4) float64`` where every box that encloses nothing is the empty box at the origin."""
    corners = np.asarray(boxes, np.float64).reshape(-1, 4)
    finite: NDArray[np.bool_] = np.all(np.isfinite(corners), axis=1)
    good = finite & (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
    result: Float64 = np.where(good[:, None], corners, 0.0)
    return result
