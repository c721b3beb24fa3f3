"""Offsets that keep classes apart: stated by the graph, or measured by running what computes them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates import classes
from convertkit_passes.heads.nms.candidates.classes import Layout
from convertkit_passes.heads.nms.candidates.climb import Climbed
from convertkit_passes.heads.nms.candidates.labels import Labels, find

Array: TypeAlias = NDArray[Any]

_UNBOUNDED = "nothing bounds the boxes to less; box_range=[LOW, HIGH] states what they are known to keep to"

EPSILON = float(np.finfo(np.float32).eps)


def spread(value: Array, dims: tuple[int, ...], boxes: Climbed) -> Array:
    """A constant offset of each coordinate, in the scale of ``boxes.flat``."""
    if np.broadcast_shapes(value.shape, dims) != dims:
        raise Refused(f"its class offsets of {value.shape} copy the boxes of {dims}", boxes.offset)
    return np.broadcast_to(value, dims) / np.float32(boxes.scale)


def keep_apart(moved: Array, within: graphs.Bounds, boxes: Climbed) -> None:
    """Refuses offsets ``(C, 2)`` that leave boxes of two classes room to overlap by more than the rounding of a sum."""
    gap = classes.gap(moved)
    if not np.isfinite(gap):
        return
    if not within.finite:
        raise Refused(f"its classes are {gap:g} apart, and {_UNBOUNDED}", boxes.flat)
    if gap < within.high - within.low - EPSILON * np.abs(moved).max():
        raise Refused(
            f"its classes are {gap:g} apart, less than the boxes' range {within.low:g} to {within.high:g}, "
            "so they suppress each other",
            boxes.offset,
        )


def computed(
    graph: passes.Graph,
    boxes: Climbed,
    scores: Climbed,
    shape: tuple[int, int],
    within: graphs.Bounds,
) -> tuple[Layout | Labels, Array]:
    """Offsets that depend on boxes (torchvision: class * (largest coordinate + 1)) or on labels.

    They are measured on boxes of three sizes.
    """
    if not within.finite:
        raise Refused(f"its class offsets are computed, and {_UNBOUNDED}", boxes.flat)
    region, labels = _offsets(graph, boxes, scores, shape)
    top = min(graphs.bounds(graph, scores.flat).high, 1.0)
    values = np.linspace(1.0, 0.5, shape[0] * shape[1], dtype=np.float32) * np.float32(top)
    measured = []
    for scale in (1.0, 0.5, 0.125):
        part = graphs.Bounds(within.low * scale, within.high * scale)
        rows = probes.cases((*shape, 1, 4), (*shape, 1), probes.Ranges(part, 1.0, 0.0))[0].boxes
        feeds = (rows.reshape(boxes.flat.shape), values.reshape(scores.flat.shape))
        if labels is None:
            found = classes.layout(_rows(_run(region, boxes, *feeds), shape, boxes), boxes.offset)
        else:
            found = labels, _moved(region, boxes, labels, feeds)
        keep_apart(found[1], graphs.Bounds(float(rows.min()), float(rows.max())), boxes)
        measured.append(found[1])
    if all(np.array_equal(item, measured[0]) for item in measured):  # they do not grow with the boxes
        keep_apart(measured[0], within, boxes)
    return found


def _offsets(
    graph: passes.Graph, boxes: Climbed, scores: Climbed, shape: tuple[int, int]
) -> tuple[graphs.Region, Labels | None]:
    """What computes the offsets from boxes and scores, and from labels where they are needed."""
    sources = [boxes.flat, scores.flat]
    try:
        return graphs.cut(graph, [boxes.offset], sources), None
    except graphs.LeakError as leak:
        labels = find(graph, boxes.offset, *shape)
        refused = Refused("its class offsets depend on more than boxes, scores and labels", leak.tensor)
        if labels is None:
            raise refused from leak
    try:
        return graphs.cut(graph, [boxes.offset], [*sources, labels.tensor]), labels
    except graphs.LeakError as leak:
        raise refused from leak


def _moved(region: graphs.Region, boxes: Climbed, labels: Labels, feeds: tuple[Array, ...]) -> Array:
    """``(C, 2)``: the offset of each class, of as many runs as it takes for all of them to occur."""
    assert labels.tensor is not None
    shape = (labels.batch, labels.count)
    found = np.full((labels.classes, 2), np.nan)
    for start in range(0, labels.classes, shape[0] * shape[1]):
        values = ((np.arange(shape[0] * shape[1]) + start) % labels.classes).reshape(shape)
        offsets = _run(region, boxes, *feeds, values.reshape(labels.tensor.shape))
        part = labels.moved(values, _rows(offsets, shape, boxes), boxes.offset)
        found = np.where(np.isnan(part), found, part)
    return found


def _run(region: graphs.Region, boxes: Climbed, *arrays: Array) -> Array:
    try:
        return region.run(*arrays)[0]
    except passes.GraphError as error:
        raise Refused(
            f"its class offsets cannot be computed on their own: {error.message}", boxes.offset
        ) from error


def _rows(offsets: Array, shape: tuple[int, int], boxes: Climbed) -> Array:
    if offsets.size not in (shape[0] * shape[1], shape[0] * shape[1] * 4):
        raise Refused(
            "its class offsets are not one per box when every box has a score; a filter ahead may drop a class, "
            "say the background: leave its scores out in front of what takes the best class",
            boxes.offset,
        )
    return np.broadcast_to(offsets.reshape(*shape, -1), (*shape, 4)) / np.float32(boxes.scale)
