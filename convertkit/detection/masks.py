"""Paste mask probabilities into the original image, once, at its own resolution.

The values are those of mmdet's ``_do_paste_mask`` on a CPU: bilinear samples at the pixel centres, half-pixel
grid, zero outside the mask, only inside the box and one pixel around it. No pixel is ever made. Down a column of
the image the probability is a line from one row of the mask to the next, so it is known at the mask's rows, and
where it passes the threshold between two of them a run of COCO's begins or ends, at the next pixel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pycocotools.mask as mask_utils
from numpy.typing import NDArray

from convertkit.detection.types import RLE, Array

Integers = NDArray[np.int64]

_COLUMNS = 1 << 12
"""Of the image, for which masks are pasted together: 0.5 MB of float32 at 28 rows stay in the cache."""


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
    counts: list[NDArray[np.uint32]] = []
    with np.errstate(all="ignore"):  # a box without extent divides by zero: see _positions
        windows = _windows(boxes, height, width)
        for some in _together(windows):
            edges = _edges(masks[some], boxes[some], windows[some], height, threshold)
            counts += _lengths(*edges, some.stop - some.start, height * width)
    encoded: list[RLE] = mask_utils.frPyObjects(
        [{"size": [height, width], "counts": runs} for runs in counts], height, width
    )
    return encoded


def _windows(boxes: Array, height: int, width: int) -> Integers:
    """The pixels that mmdet fills, as left, top, right, bottom: the box and one pixel around it, inside the image.

    A box that is not finite has an empty window.
    """
    low = np.maximum(np.floor(boxes[:, :2]) - 1, 0)
    high = np.minimum(np.ceil(boxes[:, 2:]) + 1, np.array([width, height], np.float32))
    windows = np.concatenate([low, high], axis=1)
    proper = np.isfinite(boxes).all(axis=1) & (low < high).all(axis=1)
    return np.where(proper[:, None], windows, 0).astype(np.int64)


def _together(windows: Integers) -> Iterator[slice]:
    """Masks with :data:`_COLUMNS` at most in all, or one."""
    ends, start = np.cumsum(windows[:, 2] - windows[:, 0]), 0
    while start < len(ends):
        most = _COLUMNS + (ends[start - 1] if start else 0)
        stop = max(start + 1, int(np.searchsorted(ends, most, side="right")))
        yield slice(start, stop)
        start = stop


def _edges(
    masks: Array, boxes: Array, windows: Integers, height: int, threshold: float
) -> tuple[Integers, Integers]:
    """Where runs begin or end, in any order: the mask, and the position in the column-major image.

    The rows of a box have to lie in the order of the mask's; one that is upside down or flat has three at most, each
    of which is a window of its own.
    """
    flat, rows = boxes[:, 3] <= boxes[:, 1], windows[:, 3] - windows[:, 1]
    mask, part = _numbers(np.where(flat, rows, 1))
    left, top, right, bottom = windows[mask].T
    top = top + part
    bottom = np.where(flat[mask], top + 1, bottom)
    window, column = _numbers(right - left)
    column += left[window]
    across = _positions(boxes[mask[window]][:, ::2], column, masks.shape[2])
    profiles = _profiles(masks, mask[window], across)
    line, place, falls = _crossings(profiles, threshold)
    window = window[line]
    below = _below(boxes[mask], top, bottom, masks.shape[1], window, place, falls)
    return mask[window], column[line] * height + below


def _numbers(counts: Integers) -> tuple[Integers, Integers]:
    """For each of so many things in turn: whose it is, and its number there."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]


def _positions(sides: Array, pixels: Integers, taps: int) -> Array:
    """Where pixels lie among the rows (or columns) of the mask, -1..taps; outside of it, or nowhere, at its ends.

    The arithmetic is that of ``_do_paste_mask`` and ``grid_sample``, step by step in float32. Where the box has
    no extent the division is infinite and mmdet samples the middle of the mask.

    Args:
        sides: ``(P, 2)``, of the box of each pixel, low and high.
        pixels: ``(P,)``.
        taps: rows (or columns) of the mask.
    """
    one, two, half = np.float32(1), np.float32(2), np.float32(0.5)
    low, high = sides.T
    grid = (pixels.astype(np.float32) + half - low) / (high - low) * two - one
    grid[np.isinf(grid)] = 0
    position: Array = (grid + one) * np.float32(taps / 2) - half
    position[np.isnan(position)] = -1
    return np.clip(position, -one, np.float32(taps))


def _profiles(masks: Array, owner: Integers, across: Array) -> Array:
    """``(columns, h + 2) float32``: of every column of the image the probability at the mask's rows, 0 at the ends."""
    count, height, width = masks.shape
    padded = np.zeros((count, width + 2, height + 2), np.float32)
    padded[:, 1:-1, 1:-1] = masks.transpose(0, 2, 1)
    near = np.minimum(np.floor(across), np.float32(width - 1))
    share = (across - near)[:, None]
    first = near.astype(np.int64) + (owner * (width + 2) + 1)
    lines = padded.reshape(-1, height + 2)
    found: Array = lines.take(first, axis=0)
    other = lines.take(first + 1, axis=0)
    found *= np.float32(1) - share
    other *= share
    found += other
    return found


def _crossings(profiles: Array, threshold: float) -> tuple[Integers, NDArray[np.float64], NDArray[np.bool_]]:
    """Where columns pass the threshold: the column, the position among the mask's rows, and whether it falls there."""
    lines, marks = profiles.shape
    inside = np.zeros(
        (lines, marks + 2), np.bool_
    )  # nothing is inside beyond the ends, whatever the threshold
    limit = np.float32(threshold)
    np.greater_equal(profiles, limit, out=inside[:, 1:-1])
    ravelled = inside.ravel()
    at = np.flatnonzero(ravelled[1:] != ravelled[:-1])
    line, mark = np.divmod(at, marks + 2)  # between mark - 1 and mark
    values, here = profiles.ravel(), at - 2 * line
    low, high = (values.take(index, mode="clip").astype(np.float64) for index in (here - 1, here))
    place = (mark - 2) + (limit - low) / (high - low)
    place[mark == 0] = -2
    place[mark == marks] = marks
    return line, place, ravelled[at]


def _below(
    boxes: Array,
    top: Integers,
    bottom: Integers,
    taps: int,
    window: Integers,
    place: NDArray[np.float64],
    falls: NDArray[np.bool_],
) -> Integers:
    """The first row of the image behind each place among the mask's rows, or at it where the probability rises.

    All are sought in one list of all windows' rows, where windows lie so far apart that no place reaches into another.
    """
    owner, row = _numbers(bottom - top)
    first = np.searchsorted(owner, np.arange(len(top)))
    down = _positions(boxes[owner][:, 1::2], row + top[owner], taps)
    apart = np.float64(taps + 8)
    sought = place + window * apart
    np.nextafter(sought, np.inf, out=sought, where=falls)
    found: Integers = np.searchsorted(down + owner * apart, sought)
    return found - (first - top)[window]


def _lengths(masks: Integers, positions: Integers, count: int, pixels: int) -> list[NDArray[np.uint32]]:
    """The run lengths of every mask, beginning with 0s; where as many runs begin as end nothing happens."""
    keys = np.sort(masks * (pixels + 1) + positions, kind="stable")
    same = keys[1:] == keys[:-1]
    if same.any():
        starts = np.flatnonzero(np.concatenate([[True], ~same]))
        keys = keys[starts[np.diff(starts, append=len(keys)) % 2 == 1]]
    bases = np.arange(count + 1) * (pixels + 1)
    bounds = np.searchsorted(keys, bases)
    found = []
    for base, start, stop in zip(bases.tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=False):
        edges = np.empty(stop - start + 2, np.int64)
        edges[0], edges[1:-1], edges[-1] = base, keys[start:stop], base + pixels
        runs = (edges[1:] - edges[:-1]).astype(np.uint32)
        found.append(runs[:-1] if runs[-1] == 0 else runs)
    return found
