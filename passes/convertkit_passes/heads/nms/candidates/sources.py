"""Where the boxes and scores of a NonMaxSuppression come from, in the layout of the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates import carried, centres, classes, offsets
from convertkit_passes.heads.nms.candidates.carried import Carried
from convertkit_passes.heads.nms.candidates.classes import Layout
from convertkit_passes.heads.nms.candidates.climb import Climbed, climb, top
from convertkit_passes.heads.nms.candidates.labels import Labels
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.views import Laid, View, lay, lay_boxes
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]

Stated: TypeAlias = "tuple[float, float] | None"
"""Lowest and highest coordinate of boxes, where the user states them."""

UNBOUNDED = graphs.Bounds(0.0, 1024.0)
"""Where boxes are probed when nothing in the graph bounds them."""


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
        centred: the graph's boxes are centre and size, the operator's are corners.
        offsets: ``(C, 2)``: what is added to x and y of each class, where it does not depend on the boxes.
        labels: the class of each box, where each has one.
        carried: what else may be read at the places of selected boxes, where a box has one score.
        by_class: the candidates are those of the first class, then those of the second, and so on.
    """

    boxes: Laid
    scores: Laid
    range: graphs.Bounds
    reach: float
    together: bool
    filtered: bool
    centred: bool
    offsets: Array | None = None
    labels: Labels | None = None
    by_class: bool = False
    carried: tuple[Carried, ...] = ()

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
        """The tensors that decide what the NonMaxSuppression selects, and those that are read where it does."""
        own = () if self.labels is None or self.labels.tensor is None else (self.labels.tensor,)
        carried = (item.tensor for item in self.carried if item.tensor is not None)
        return self.boxes.tensor, self.scores.tensor, *own, *carried

    def carrying(self, graph: passes.Graph, site: Site) -> Sources:
        """The same with what is carried; of several pictures, or scores of one box, a place says too little."""
        batch, count, shared, _ = self.boxes.shape
        if batch * shared * self.scores.shape[2] > 1:
            return self
        return replace(self, carried=carried.find(graph, site.selection, self.borders, count))

    def feed(self, boxes: Array, scores: Array) -> list[Array]:
        """Values of ``borders`` for boxes ``(B, N, q, 4)``, corners, and scores ``(B, N, C)`` of the operator."""
        boxes = centres.of_corners(boxes) if self.centred else boxes
        values = [scores] if self.labels is None else self.labels.feed(scores)
        rest = [item.values.reshape(item.tensor.shape) for item in self.carried if item.tensor is not None]
        return [self.boxes.undo(boxes), self.scores.undo(values[0]), *values[1:], *rest]

    def emit(self, graph: passes.Graph) -> tuple[Tensor, Tensor]:
        """The operator's boxes and scores."""
        boxes = self.boxes.view.emit(graph, self.boxes.tensor)
        boxes = centres.emit_corners(graph, boxes) if self.centred else boxes
        scores = self.scores.view.emit(graph, self.scores.tensor)
        return boxes, scores if self.labels is None else self.labels.emit(graph, scores)


def candidates(graph: passes.Graph, site: Site, stated: Stated) -> Iterator[Sources | Refused]:
    """The ways to read a site, the likelier ones first; a :class:`Refused` where one does not work out.

    An addition above a NonMaxSuppression of one class is either class offsets or part of the boxes, and boxes may be
    read as they are before they are multiplied or after: all is offered.

    Nothing is carried by boxes that may hold class offsets: those would be large in fp16, and ``box_range`` helps.
    """
    moved = False
    steps = (False,) if site.classes > 1 or site.centred else (True, False)
    # what is added to centres and sizes would not move boxes
    for past_scale, past_offset in product((True, False), steps):
        found = _attempt(graph, site, stated, past_offset=past_offset, past_scale=past_scale)
        if isinstance(found, Sources) and (past_offset or not moved):
            yield found.carrying(graph, site)
        elif found is not None:
            yield found
        moved = moved or (past_offset and found is not None)


def _attempt(
    graph: passes.Graph, site: Site, stated: Stated, *, past_offset: bool, past_scale: bool
) -> Sources | Refused | None:
    try:
        found = climb(graph, site.boxes, past_offset=past_offset, past_scale=past_scale)
        if (past_offset and found.offset is None) or (past_scale and found.scale == 1):
            return None
        scores = top(climb(graph, site.scores, past_offset=False))
        if past_offset:
            return _with_offset(graph, site, found, scores, _range(graph, found.flat, stated))
        return _plain(graph, site, found, scores)
    except Refused as refused:
        return None if past_scale and refused.unsized else refused


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
        moves = offsets.spread(value, dims, boxes).reshape(*shape, 4)
        found, moved = classes.layout(moves, boxes.offset)
        offsets.keep_apart(moved, within, boxes)
        fixed = moved if isinstance(found, Layout) else None
    else:
        found, moved = offsets.computed(graph, boxes, scores, shape, within)
        fixed = None
    reach = float(np.abs(moved).max())
    made = _sources(graph, found.boxes, found.scores, (boxes, scores), reach, within)
    labels = found if isinstance(found, Labels) else None
    by_class = isinstance(found, Layout) and not found.minor
    return replace(made, together=found.classes > 1, offsets=fixed, labels=labels, by_class=by_class)


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
