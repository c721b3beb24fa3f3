"""Paste mask probabilities into the original image, once, at its own resolution.

The values are those of mmdet's ``_do_paste_mask`` on a CPU: bilinear samples at the pixel centres, half-pixel
grid, zero outside the mask, only inside the box and one pixel around it. Bilinear interpolation is separable,
so a pasted mask is a product ``columns @ mask.T @ rows.T`` of small matrices; it is made in strips of columns,
the order in which COCO counts, so that no canvas is ever held.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pycocotools.mask as mask_utils
from numpy.typing import NDArray

from convertkit.detection.types import RLE, Array

Positions = NDArray[np.int64]

_PRODUCT = 1 << 13  # pixels per matrix product: OpenBLAS starts threads above 9362 (at 28 taps)
_STRIP = 8  # products pasted at a time: 256 KiB of float32 stay in the cache


def paste(masks: Array, boxes: Array, height: int, width: int, threshold: float = 0.5) -> list[RLE]:
    """Binary masks of the original image, as COCO RLE.

    Args:
        masks: ``(N, h, w) float32`` probabilities; a value that is not finite counts as 0.
        boxes: ``(N, 4) float32 x1 y1 x2 y2, pixels of the original image``, not clipped: a mask belongs to
            the box it was predicted for. A box that is not finite gives an empty mask.
        height: of the original image, in pixels.
        width: of the original image, in pixels.
        threshold: a pixel belongs to the mask where its probability is >= threshold.

    Returns:
        N compressed masks of ``[height, width]``.

    Raises:
        ValueError: the shapes do not fit together.
    """
    masks, boxes = np.asarray(masks, np.float32), np.asarray(boxes, np.float32)
    if masks.ndim != 3 or boxes.shape != (len(masks), 4):
        raise ValueError(f"masks {masks.shape} and boxes {boxes.shape} are not (N, h, w) and (N, 4)")
    if len(masks) == 0:
        return []
    if not np.isfinite(masks).all():
        masks = np.nan_to_num(masks, nan=0.0, posinf=0.0, neginf=0.0)
    with np.errstate(all="ignore"):  # a box without extent divides by zero: see _taps
        windows = _windows(boxes, height, width)
        counts = [
            _counts(mask, box, window, height, width, threshold)
            for mask, box, window in zip(masks, boxes, windows, strict=True)
        ]
    encoded: list[RLE] = mask_utils.frPyObjects(
        [{"size": [height, width], "counts": runs} for runs in counts], height, width
    )
    return encoded


def _windows(boxes: Array, height: int, width: int) -> list[list[int]]:
    """The pixels that mmdet fills, as left, top, right, bottom: the box and one pixel around it, inside the image.

    A box that is not finite has an empty window.
    """
    low = np.maximum(np.floor(boxes[:, :2]) - 1, 0)
    high = np.minimum(np.ceil(boxes[:, 2:]) + 1, np.array([width, height], np.float32))
    windows = np.concatenate([low, high], axis=1)
    proper = np.isfinite(boxes).all(axis=1) & (low < high).all(axis=1)
    filled: list[list[int]] = np.where(proper[:, None], windows, 0).astype(np.int64).tolist()
    return filled


def _counts(
    mask: Array, box: Array, window: list[int], height: int, width: int, threshold: float
) -> list[int]:
    """The run lengths of one mask, beginning with 0s."""
    left, top, right, bottom = window
    if left >= right:
        return [height * width]
    rows = _taps(box[1], box[3], top, bottom, mask.shape[0])
    columns = _taps(box[0], box[2], left, right, mask.shape[1])
    strips = _strips(_product(columns, mask.T), rows.T, threshold)
    edges = [_edges(inside, left + start, top, height) for start, inside in strips]
    return _lengths(edges[0] if len(edges) == 1 else np.concatenate(edges), height * width)


def _taps(low: np.float32, high: np.float32, start: int, stop: int, taps: int) -> Array:
    """``(stop - start, taps) float32``: how much each pixel takes from each row (or column) of the mask.

    The arithmetic is that of ``_do_paste_mask`` and ``grid_sample``, step by step in float32. Where the box has
    no extent the division is infinite and mmdet samples the middle of the mask.
    """
    one, two, half = np.float32(1), np.float32(2), np.float32(0.5)
    centres = np.arange(start, stop, dtype=np.float32) + half
    grid = (centres - low) / (high - low) * two - one
    grid[np.isinf(grid)] = 0
    position = (grid + one) * np.float32(taps / 2) - half
    weight: Array = np.subtract.outer(position, np.arange(taps, dtype=np.float32))
    np.abs(weight, out=weight)
    np.subtract(one, weight, out=weight)
    np.maximum(weight, np.float32(0), out=weight)
    return weight


def _strips(columns: Array, rows: Array, threshold: float) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """The pasted mask, a strip of columns at a time: ``(columns, height + 1) bool``, the last row is False."""
    height = rows.shape[1]
    step = _STRIP * _few(height)
    for start in range(0, len(columns), step):
        strip = columns[start : start + step]
        inside = np.zeros((len(strip), height + 1), np.bool_)
        np.greater_equal(_product(strip, rows), threshold, out=inside[:, :height])
        yield start, inside


def _product(left: Array, right: Array) -> Array:
    """``left @ right``, in pieces so small that the linear algebra library never starts its threads.

    Next to an inference that uses every core those threads wait for each other many times longer than they
    calculate: 470 ms instead of 10 for a hundred masks.
    """
    few = _few(right.shape[1])
    whole = len(left) // few * few
    result = np.empty((len(left), right.shape[1]), np.float32)
    if whole:
        blocks = left[:whole].reshape(-1, few, left.shape[1])
        np.matmul(blocks, right, out=result[:whole].reshape(-1, few, right.shape[1]))
    np.matmul(left[whole:], right, out=result[whole:])
    return result


def _few(columns: int) -> int:
    """Rows of a product's left side, where its right side has so many columns."""
    return max(1, _PRODUCT // columns)


def _edges(inside: NDArray[np.bool_], left: int, top: int, height: int) -> Positions:
    """Where runs begin and end in turn, as positions in the column-major image.

    Args:
        inside: ``(columns, rows + 1) bool``, a window of the image of which the corner is ``left``, ``top``.
        left: in pixels.
        top: in pixels.
        height: of the image, in pixels.
    """
    flat = inside.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        changes = np.concatenate([[0], changes])
    column, row = np.divmod(changes, inside.shape[1])
    positions: Positions = (left + column) * height + (top + row)
    return positions


def _lengths(edges: Positions, pixels: int) -> list[int]:
    """Run lengths from the positions where runs begin and end; runs that touch become one."""
    apart = edges[1:-1:2] != edges[2::2]
    if not apart.all():
        keep = np.ones(len(edges), np.bool_)
        keep[1:-1:2] = keep[2::2] = apart
        edges = edges[keep]
    bounds = np.empty(len(edges) + 2, np.int64)
    bounds[0], bounds[1:-1], bounds[-1] = 0, edges, pixels
    counts: list[int] = (bounds[1:] - bounds[:-1]).tolist()
    return counts[:-1] if counts[-1] == 0 else counts
