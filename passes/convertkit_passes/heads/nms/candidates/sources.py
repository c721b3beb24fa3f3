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
from convertkit_passes.heads.nms.candidates.labels import Labels, find
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.views import Laid, View, lay, lay_boxes
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]

Stated: TypeAlias = "tuple[float, float] | None"
"""Lowest and highest coordinate of boxes, where the user states them."""

UNBOUNDED = graphs.Bounds(0.0, 1024.0)
"""Where boxes are probed when nothing in the graph bounds them."""

_UNBOUNDED = "nothing bounds the boxes to less; box_range=[LOW, HIGH] states what they are known to keep to"


@dataclass(frozen=True)
class Sources:
    """What the operator would read.

    Attributes:
        boxes: ``(B, N, q, 4)``.
        scores: ``(B, N, C)``; with labels ``(B, N, 1)``.
        range: of the boxes.
        reach: the largest magnitude a box has after class offsets are added: the scale of the graph's rounding.
        together: max_output_boxes_per_class counts all classes together.
        filtered: boxes are dropped before the NonMaxSuppression; the node's threshold is not the only one.
        offsets: ``(C, 2)``: what is added to x and y of each class, where it does not depend on the boxes.
        centred: the graph's boxes are centre and size, the operator's are corners.
        labels: the class of each box, where each has one.
        by_class: the candidates are those of the first class, then those of the second, and so on.
    """

    boxes: Laid
    scores: Laid
    range: graphs.Bounds
    reach: float
    together: bool
    filtered: bool
    offsets: Array | None = None
    centred: bool = False
    labels: Labels | None = None
    by_class: bool = False

    @property
    def classes(self) -> int:
        """C."""
        return self.scores.shape[2] if self.labels is None else self.labels.classes

    def cases(self, ranges: probes.Ranges) -> list[probes.Case]:
        """What is tried, in the layout of the operator; nothing overlaps in the first."""
        found = probes.cases(self.boxes.shape, self.scores.shape, ranges)
        if self.labels is None:
            return found
        random = np.random.default_rng(probes.SEED)
        return [replace(item, scores=self.labels.spread(item.scores, random)) for item in found]

    @property
    def borders(self) -> tuple[Tensor, ...]:
        """The tensors that decide what the NonMaxSuppression selects."""
        own = () if self.labels is None or self.labels.tensor is None else (self.labels.tensor,)
        return self.boxes.tensor, self.scores.tensor, *own

    def feed(self, boxes: Array, scores: Array) -> list[Array]:
        """Values of ``borders`` for boxes ``(B, N, q, 4)``, corners, and scores ``(B, N, C)`` of the operator."""
        boxes = centres.of_corners(boxes) if self.centred else boxes
        values = [scores] if self.labels is None else self.labels.feed(scores)
        return [self.boxes.undo(boxes), self.scores.undo(values[0]), *values[1:]]

    def emit(self, graph: passes.Graph) -> tuple[Tensor, Tensor]:
        """The operator's boxes and scores."""
        boxes = self.boxes.view.emit(graph, self.boxes.tensor)
        boxes = centres.emit_corners(graph, boxes) if self.centred else boxes
        scores = self.scores.view.emit(graph, self.scores.tensor)
        return boxes, scores if self.labels is None else self.labels.emit(graph, scores)


def candidates(graph: passes.Graph, site: Site, stated: Stated) -> Iterator[Sources | Refused]:
    """The ways to read a site, the likelier ones first; a :class:`Refused` where one does not work out.

    An addition above a NonMaxSuppression of one class is either class offsets or part of the boxes: both are offered.
    """
    # what is added to centres and sizes would not move boxes
    for past_offset in (False,) if site.classes > 1 or site.centred else (True, False):
        found = _attempt(graph, site, stated, past_offset=past_offset)
        if found is not None:
            yield found


def _attempt(
    graph: passes.Graph, site: Site, stated: Stated, *, past_offset: bool
) -> Sources | Refused | None:
    try:
        found = climb(graph, site.boxes, past_offset=past_offset)
        if past_offset and found.offset is None:
            return None
        scores = climb(graph, site.scores, past_offset=False)
        if past_offset:
            return _with_offset(graph, site, found, scores, _range(graph, found.flat, stated))
        return _plain(graph, site, found, scores)
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
        0.0,
        graphs.bounds(graph, boxes.flat),
        centred=site.centred,
    )


def _range(graph: passes.Graph, boxes: Tensor, stated: Stated) -> graphs.Bounds:
    """What follows from the graph, or else what the user states."""
    found = graphs.bounds(graph, boxes)
    return found if found.finite or stated is None else graphs.Bounds(*stated)


def _with_offset(
    graph: passes.Graph, site: Site, boxes: Climbed, scores: Climbed, within: graphs.Bounds
) -> Sources:
    """One class for the node, several kept apart by offsets."""
    dims = tuple(boxes.flat.shape)
    shape = (site.batch, int(np.prod(dims)) // (4 * site.batch))
    value = graphs.constant_value(graph, boxes.offset)
    if value is not None and boxes.under is boxes.flat:
        offsets = _spread(value, dims, boxes).reshape(*shape, 4)
        found, moved = classes.layout(offsets, boxes.offset)
        _keep_apart(classes.gap(moved), within, boxes)
        fixed = moved if isinstance(found, Layout) else None
    else:
        found, moved = _computed(graph, boxes, scores, shape, within)
        fixed = None
    reach = float(np.abs(moved).max())
    made = _sources(graph, found.boxes, found.scores, (boxes, scores), reach, within)
    labels = found if isinstance(found, Labels) else None
    by_class = isinstance(found, Layout) and found.classes > 1 and not found.minor
    return replace(made, together=found.classes > 1, offsets=fixed, labels=labels, by_class=by_class)


def _spread(value: Array, dims: tuple[int, ...], boxes: Climbed) -> Array:
    if np.broadcast_shapes(value.shape, dims) != dims:
        raise Refused(f"its class offsets of {value.shape} copy the boxes of {dims}", boxes.offset)
    return np.broadcast_to(value, dims)


def _keep_apart(gap: float, within: graphs.Bounds, boxes: Climbed) -> None:
    if not np.isfinite(gap):
        return
    if not within.finite:
        raise Refused(f"its classes are {gap:g} apart, and {_UNBOUNDED}", boxes.flat)
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
        _keep_apart(classes.gap(found[1]), graphs.Bounds(float(rows.min()), float(rows.max())), boxes)
        measured.append(found[1])
    if all(np.array_equal(item, measured[0]) for item in measured):  # they do not grow with the boxes
        _keep_apart(classes.gap(measured[0]), within, boxes)
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
        raise Refused("its class offsets are not one per box when every box takes part", boxes.offset)
    return np.broadcast_to(offsets.reshape(*shape, -1), (*shape, 4))


def _sources(
    graph: passes.Graph,
    boxes_view: View,
    scores_view: View,
    climbed: tuple[Climbed, Climbed],
    reach: float,
    known: graphs.Bounds,
    *,
    centred: bool = False,
) -> Sources:
    boxes, scores = climbed
    if int(np.prod(scores.flat.shape)) != int(np.prod(scores_view.shape)):
        raise Refused(
            f"{tuple(scores.flat.shape)} scores do not go with {tuple(boxes.flat.shape)} boxes", scores.flat
        )
    within = known if known.finite and known.high > known.low else UNBOUNDED
    return Sources(
        boxes=lay_boxes(graph, boxes.flat, boxes_view),
        scores=lay(graph, scores.flat, scores_view),
        range=within,
        reach=reach + max(abs(within.low), abs(within.high)),
        together=False,
        filtered=boxes.filtered or scores.filtered,
        centred=centred,
    )
