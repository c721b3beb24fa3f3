"""Random boxes and scores that show every side of an NMS, made so that no rounding can decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs

Array: TypeAlias = NDArray[Any]

SEED = 0
"""Findings must not differ from run to run."""


SMALL = 1000
"""So few scores are tried several times: with one or two slots, other numbers may equal detections by chance."""


@dataclass(frozen=True)
class Case:
    """What one run is fed.

    Attributes:
        boxes: ``(B, N, q, 4) float32, x1 y1 x2 y2``, on a grid of a power of two, so that sums with offsets and areas
            are exact in float32.
        scores: ``(B, N, C) float32``, those above the threshold all different.
        optional: a graph may fail on it without saying anything about the match. Some exports do where nothing is
            found, and some where one box is: a Squeeze without axes makes a scalar of the list of one.
    """

    name: str
    boxes: Array
    scores: Array
    optional: bool = False


@dataclass(frozen=True)
class Ranges:
    """In which range boxes and scores may lie.

    Attributes:
        threshold: the scores above it take part.
        every: all scores are above it.
    """

    boxes: graphs.Bounds
    top: float
    threshold: float
    every: bool = False


def cases(boxes: tuple[int, ...], scores: tuple[int, ...], ranges: Ranges) -> list[Case]:
    """Nothing overlaps; much overlaps; few, one, and no boxes above the threshold, or else everything overlaps.

    Args:
        boxes: ``(B, N, q, 4)``.
        scores: ``(B, N, C)``.
    """
    random = np.random.default_rng(SEED)
    total = int(np.prod(scores[1:]))
    rounds = 1 if total > SMALL else 4
    return [case for _ in range(rounds) for case in _round(random, boxes, scores, ranges)]


def _round(
    random: np.random.Generator, boxes: tuple[int, ...], scores: tuple[int, ...], ranges: Ranges
) -> list[Case]:
    total = int(np.prod(scores[1:]))
    few = max(2, min(total // 3, 40))
    if ranges.every:
        crowded = _crowded(random, boxes, ranges.boxes)
        heap = np.broadcast_to(crowded[:, :1], boxes).copy()
        kinds = {"apart": _apart(random, boxes, ranges.boxes), "crowded": crowded, "heap": heap}
        return [Case(name, item, _scores(random, scores, ranges, total)) for name, item in kinds.items()]
    return [
        Case("apart", _apart(random, boxes, ranges.boxes), _scores(random, scores, ranges, total)),
        Case("crowded", _crowded(random, boxes, ranges.boxes), _scores(random, scores, ranges, total)),
        Case("few", _crowded(random, boxes, ranges.boxes), _scores(random, scores, ranges, few)),
        Case("one", _apart(random, boxes, ranges.boxes), _scores(random, scores, ranges, 1), optional=True),
        Case("none", _apart(random, boxes, ranges.boxes), _scores(random, scores, ranges, 0), optional=True),
    ]


def _apart(random: np.random.Generator, shape: tuple[int, ...], within: graphs.Bounds) -> Array:
    """Every box of a class in a tile of its own; each class has its own order of tiles."""
    batch, count, shared, _ = shape
    side = int(np.ceil(np.sqrt(count)))
    tile = (within.high - within.low) / side
    step = _step(tile / 8)
    numbers = np.stack([random.permutation(count) for _ in range(batch * shared)])
    corner = within.low + np.stack([numbers % side, numbers // side], -1) * tile
    inset = tile / 4 * random.random((2, *corner.shape))
    low = np.ceil((corner + inset[0]) / step) * step
    high = np.floor((corner + tile - inset[1]) / step) * step
    rows = np.concatenate([low, high], -1).reshape(batch, shared, count, 4).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(rows, np.float32)


def _crowded(random: np.random.Generator, shape: tuple[int, ...], within: graphs.Bounds) -> Array:
    """Boxes around a few places, the same for all classes or moved a little."""
    batch, count, shared, _ = shape
    step = _step((within.high - within.low) / 2048)
    span = int((within.high - within.low) / step)
    places = random.integers(0, span * 3 // 4, (batch, max(2, count // 8), 2))
    chosen = random.integers(0, places.shape[1], (batch, count))
    low = np.take_along_axis(places, chosen[..., None], 1)[:, :, None]
    low = low + random.integers(0, 1 + span // 32, (batch, count, shared, 2)) * (
        random.random((batch, 1, shared, 1)) < 0.5
    )
    high = np.minimum(low + random.integers(span // 8, span // 4, (batch, count, 1, 2)), span)
    return (within.low + np.concatenate([low, high], -1) * step).astype(np.float32)


def _step(largest: float) -> float:
    """The largest power of two up to a size, at most 1/8: in pixels, most corners are no whole number."""
    return float(min(2.0 ** np.floor(np.log2(largest)), 0.125))


def _scores(random: np.random.Generator, shape: tuple[int, ...], ranges: Ranges, above: int) -> Array:
    """``above`` different scores over the threshold in each image, the rest from 0 up to the threshold itself."""
    batch, total = shape[0], int(np.prod(shape[1:]))
    low = np.float32(max(ranges.threshold, 0.0))
    rows = low * np.minimum(random.random((batch, total)) * 1.2, 1.0).astype(np.float32)
    for row in rows:
        steps = random.permutation(above) + 1.0
        row[random.permutation(total)[:above]] = low + (np.float32(ranges.top) - low) * steps / (above + 1.0)
    return rows.reshape(shape).astype(np.float32)
