"""The levels of a feature pyramid in an NMS of one class, where its boxes and scores were concatenated, as classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convertkit.api import graphs, passes
from convertkit.api.heads import Nms, Refused, annotated, head_of, sized
from convertkit_passes.heads.nms.candidates.views import VIEWS, View
from convertkit_passes.heads.readers import readers
from convertkit_passes.heads.types import Node, Tensor

ROIS = {"MultilevelRoiAlign": -1, "RoiAlign": 1}
"""Which input of an operator is the RoIs."""


@dataclass(frozen=True)
class Levels:
    """Boxes and scores of one class, level by level.

    Attributes:
        boxes, scores: of each level, ``(B, n, 4)`` and ``(B, n)`` or a view of that.
        sizes: n of each level.
    """

    nms: Nms
    boxes: tuple[Tensor, ...]
    scores: tuple[Tensor, ...]
    sizes: tuple[int, ...]

    @property
    def why(self) -> str:
        """For a finding."""
        sizes = ", ".join(map(str, self.sizes))
        return f"{len(self.sizes)} levels of {sizes} boxes become classes of {max(self.sizes)}"


def makes_rois(nms: Nms) -> bool:
    """Whether it has one class and its boxes become RoIs."""
    return nms.classes == 1 and becomes_rois(nms)


def becomes_rois(nms: Nms) -> bool:
    """Whether its boxes become RoIs."""
    return any(_is_rois(*read) for read in readers(nms.node.outputs[:1]))


def levels(nms: Nms) -> Levels:
    """The levels of an NMS of one class.

    Raises:
        Refused: boxes or scores were not concatenated from at least two levels, or not from the same.
    """
    boxes, scores = (_parts(item, nms, values) for item, values in ((nms.boxes, 4), (nms.scores, 1)))
    sizes, others = (
        tuple(_size(part, nms, values) for part in parts) for parts, values in ((boxes, 4), (scores, 1))
    )
    if sizes != others:
        raise Refused(f"its boxes are made of {sizes}, its scores of {others}", nms.scores)
    return Levels(nms, tuple(boxes), tuple(scores), sizes)


def _is_rois(tensor: Tensor, node: Node) -> bool:
    place = ROIS.get(head_of(node) or node.op)
    return place is not None and node.inputs[place] is tensor


def _parts(tensor: Tensor, nms: Nms, values: int) -> list[Tensor]:
    """The inputs of the concatenation that ``tensor`` is a view of."""
    end = tensor
    while end.inputs and end.inputs[0].op in VIEWS:
        end = end.inputs[0].inputs[0]
    node = end.inputs[0] if end.inputs else None
    if node is None or node.op != "Concat" or not _along_boxes(node, nms, values):
        raise Refused(f"{tensor.name} is not a concatenation of levels", end)
    return list(node.inputs)


def _along_boxes(node: Node, nms: Nms, values: int) -> bool:
    """Whether it joins ``(B, n, values)`` along n, as far as flat order is concerned."""
    shape = graphs.static_shape(node.outputs[0])
    if shape is None or len(node.inputs) < 2:
        return False
    axis = node.attrs["axis"] % len(shape)
    before, here, after = int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1 :]))
    return (before, here * after) == (nms.batch, nms.count * values) and after in (1, values)


def _size(part: Tensor, nms: Nms, values: int) -> int:
    shape = graphs.static_shape(part)
    if shape is None:
        raise Refused(f"{part.name} has no fixed size", part, unsized=True)
    return int(np.prod(shape)) // (nms.batch * values)


def restore(graph: passes.Graph) -> tuple[passes.Finding, ...]:
    """Rewrites every NMS of proposals whose levels are known; a finding for each."""
    with annotated(graph):
        return tuple(_restore(graph, item) for item in list(sized(graph)) if makes_rois(item))


def _restore(graph: passes.Graph, nms: Nms) -> passes.Finding:
    try:
        found = levels(nms)
    except Refused as refused:
        return refused.finding(nms.where)
    finding = passes.Finding("matched", nms.where, found.why, str(nms.boxes.name))
    _write(graph, found)
    return finding


def _write(graph: passes.Graph, found: Levels) -> None:
    node, longest = found.nms.node, max(found.sizes)
    node.inputs[0] = _joined(graph, found, found.boxes, (1, 4))
    node.inputs[1] = _joined(graph, found, found.scores, (1,))
    node.attrs["max_size_per_class"] = min(node.attrs["max_size_per_class"], longest)


def _joined(graph: passes.Graph, found: Levels, parts: Sequence[Tensor], tail: tuple[int, ...]) -> Tensor:
    """``(B, n, *tail)`` of each level, padded to the longest and joined along the axis after n."""
    batch, longest = found.nms.batch, max(found.sizes)
    shaped = [
        _padded(graph, View((batch, size, *tail)).emit(graph, part), longest)
        for part, size in zip(parts, found.sizes, strict=True)
    ]
    shape = (batch, longest, len(parts), *tail[1:])
    return graph.add("Concat", shaped, attrs={"axis": 2}, dtype=parts[0].dtype, shape=shape)


def _padded(graph: passes.Graph, tensor: Tensor, longest: int) -> Tensor:
    """Zeros behind, up to ``longest`` (Pad's default value)."""
    batch, size, *tail = tensor.shape
    if size == longest:
        return tensor
    ends = [0] * len(tensor.shape) + [0, longest - size] + [0] * len(tail)
    pads = graph.constant(np.array(ends, np.int64), name="pads")
    return graph.add("Pad", [tensor, pads], dtype=tensor.dtype, shape=(batch, longest, *tail))
