"""Where the boxes and scores of a NonMaxSuppression come from, in the layout of the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates import centres, classes
from convertkit_passes.heads.nms.candidates.classes import Layout
from convertkit_passes.heads.nms.candidates.climb import Climbed, climb
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.views import Laid, View, lay, lay_boxes
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]

UNBOUNDED = graphs.Bounds(0.0, 1024.0)
"""Where boxes are probed when nothing in the graph bounds them."""


@dataclass(frozen=True)
class Sources:
    """What the operator would read.

    Attributes:
        boxes: ``(B, N, q, 4)``.
        scores: ``(B, N, C)``.
        range: of the boxes.
        reach: the largest magnitude a box has after class offsets are added: the scale of the graph's rounding.
        together: max_output_boxes_per_class counts all classes together.
        filtered: boxes are dropped before the NonMaxSuppression; the node's threshold is not the only one.
        offsets: ``(C, 2)``: what is added to x and y of each class, where it does not depend on the boxes.
        centred: the graph's boxes are centre and size, the operator's are corners.
    """

    boxes: Laid
    scores: Laid
    range: graphs.Bounds
    reach: float
    together: bool
    filtered: bool
    offsets: Array | None = None
    centred: bool = False

    @property
    def borders(self) -> tuple[Tensor, ...]:
        """The tensors that decide what the NonMaxSuppression selects."""
        return self.boxes.tensor, self.scores.tensor

    def feed(self, boxes: Array, scores: Array) -> list[Array]:
        """Values of ``borders`` for boxes ``(B, N, q, 4)``, corners, and scores ``(B, N, C)`` of the operator."""
        boxes = centres.of_corners(boxes) if self.centred else boxes
        return [self.boxes.undo(boxes), self.scores.undo(scores)]

    def emit(self, graph: passes.Graph) -> tuple[Tensor, Tensor]:
        """The operator's boxes and scores."""
        boxes = self.boxes.view.emit(graph, self.boxes.tensor)
        boxes = centres.emit_corners(graph, boxes) if self.centred else boxes
        return boxes, self.scores.view.emit(graph, self.scores.tensor)


def candidates(graph: passes.Graph, site: Site) -> Iterator[Sources | Refused]:
    """The ways to read a site, the likelier ones first; a :class:`Refused` where one does not work out.

    An addition above a NonMaxSuppression of one class is either class offsets or part of the boxes: both are offered.
    """
    # what is added to centres and sizes would not move boxes
    for past_offset in (False,) if site.classes > 1 or site.centred else (True, False):
        found = _attempt(graph, site, past_offset=past_offset)
        if found is not None:
            yield found


def _attempt(graph: passes.Graph, site: Site, *, past_offset: bool) -> Sources | Refused | None:
    try:
        found = climb(graph, site.boxes, past_offset=past_offset)
        if past_offset and found.offset is None:
            return None
        scores = climb(graph, site.scores, past_offset=False)
        return _with_offset(graph, site, found, scores) if past_offset else _plain(graph, site, found, scores)
    except Refused as refused:
        return refused


def _plain(graph: passes.Graph, site: Site, boxes: Climbed, scores: Climbed) -> Sources:
    """Boxes shared by all classes of the node: ``(B, N, 4)`` and ``(B, C, N)``."""
    count = int(np.prod(boxes.flat.shape)) // (4 * site.batch)
    return _sources(
        graph,
        Layout(site.batch, count, 1, minor=True).boxes,
        View((site.batch, site.classes, count), (0, 2, 1)),
        (boxes, scores),
        reach=0.0,
        centred=site.centred,
    )


def _with_offset(graph: passes.Graph, site: Site, boxes: Climbed, scores: Climbed) -> Sources:
    """One class for the node, several kept apart by offsets."""
    dims = tuple(boxes.flat.shape)
    shape = (site.batch, int(np.prod(dims)) // (4 * site.batch))
    value = graphs.constant_value(graph, boxes.offset)
    within = graphs.bounds(graph, boxes.flat)
    if value is not None and boxes.under is boxes.flat:
        offsets = _spread(value, dims, boxes).reshape(*shape, 4)
        found, moved = classes.layout(offsets, boxes.offset)
        _keep_apart(classes.gap(moved), within, boxes)
        fixed = moved
    else:
        found, moved = _computed(graph, boxes, scores, shape, within)
        fixed = None
    reach = float(np.abs(moved).max())
    made = _sources(graph, found.boxes, found.scores, (boxes, scores), reach)
    return replace(made, together=found.classes > 1, offsets=fixed)


def _spread(value: Array, dims: tuple[int, ...], boxes: Climbed) -> Array:
    if np.broadcast_shapes(value.shape, dims) != dims:
        raise Refused(f"its class offsets of {value.shape} copy the boxes of {dims}", boxes.offset)
    return np.broadcast_to(value, dims)


def _keep_apart(gap: float, within: graphs.Bounds, boxes: Climbed) -> None:
    if not np.isfinite(gap):
        return
    if not within.finite:
        raise Refused(f"its classes are {gap:g} apart, and nothing bounds the boxes to less", boxes.flat)
    if gap < within.high - within.low:
        raise Refused(
            f"its classes are {gap:g} apart, less than the boxes' range {within.low:g} to {within.high:g}, "
            "so they suppress each other",
            boxes.offset,
        )


def _computed(
    graph: passes.Graph,
    boxes: Climbed,
    scores: Climbed,
    shape: tuple[int, int],
    within: graphs.Bounds,
) -> tuple[Layout, Array]:
    """Offsets that depend on the boxes (torchvision: class * (largest coordinate + 1)).

    They are measured on boxes of three sizes.
    """
    if not within.finite:
        raise Refused("its class offsets depend on boxes that nothing bounds", boxes.flat)
    try:
        region = graphs.cut(graph, [boxes.offset], [boxes.flat, scores.flat])
    except graphs.LeakError as leak:
        raise Refused("its class offsets depend on more than boxes and scores", leak.tensor) from leak
    top = min(graphs.bounds(graph, scores.flat).high, 1.0)
    values = np.linspace(1.0, 0.5, shape[0] * shape[1], dtype=np.float32) * np.float32(top)
    found = None
    for scale in (1.0, 0.5, 0.125):
        part = graphs.Bounds(within.low * scale, within.high * scale)
        rows = probes.cases((*shape, 1, 4), (*shape, 1), probes.Ranges(part, 1.0, 0.0))[0].boxes
        offsets = _run(region, boxes, rows.reshape(boxes.flat.shape), values.reshape(scores.flat.shape))
        found = classes.layout(_rows(offsets, shape, boxes), boxes.offset)
        _keep_apart(classes.gap(found[1]), graphs.Bounds(float(rows.min()), float(rows.max())), boxes)
    assert found is not None
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
        raise Refused("its class offsets are not one per box when every box takes part", boxes.offset)
    return np.broadcast_to(offsets.reshape(*shape, -1), (*shape, 4))


def _sources(
    graph: passes.Graph,
    boxes_view: View,
    scores_view: View,
    climbed: tuple[Climbed, Climbed],
    reach: float,
    *,
    centred: bool = False,
) -> Sources:
    boxes, scores = climbed
    if int(np.prod(scores.flat.shape)) != int(np.prod(scores_view.shape)):
        raise Refused(
            f"{tuple(scores.flat.shape)} scores do not go with {tuple(boxes.flat.shape)} boxes", scores.flat
        )
    found = graphs.bounds(graph, boxes.flat)
    within = found if found.finite and found.high > found.low else UNBOUNDED
    return Sources(
        boxes=lay_boxes(graph, boxes.flat, boxes_view),
        scores=lay(graph, scores.flat, scores_view),
        range=within,
        reach=reach + max(abs(within.low), abs(within.high)),
        together=False,
        filtered=boxes.filtered or scores.filtered,
        centred=centred,
    )
