"""One NonMaxSuppression node, read and held against what the operator can do at all."""

from __future__ import annotations

from dataclasses import dataclass

from convertkit.api import graphs, heads, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.types import Node, Tensor


@dataclass(frozen=True)
class Site:
    """A NonMaxSuppression node with constant options.

    Attributes:
        boxes: ``(B, M, 4) float, x1 y1 x2 y2`` (either corner first) unless ``centred``; sizes may be symbolic.
        scores: ``(B, K, M) float``.
        batch, classes: B and K.
        limit: ``max_output_boxes_per_class``.
        iou_threshold: suppresses above it, strictly.
        score_threshold: keeps above it, strictly; None where every score is kept.
        centred: boxes are centre x, centre y, width, height.
    """

    node: Node
    boxes: Tensor
    scores: Tensor
    batch: int
    classes: int
    limit: int
    iou_threshold: float
    score_threshold: float | None
    centred: bool

    @property
    def selection(self) -> Tensor:
        """``(K, 3) int64``: batch, class and box of what is kept."""
        return self.node.outputs[0]


def read(graph: passes.Graph, node: Node) -> Site:
    """The site of a node.

    Raises:
        Refused: an option that is no constant number, unknown sizes, another opset.
    """
    low, high = heads.OPSETS
    if not low <= graph.opset <= high:
        why = f"opset must be {low} to {high}, it is {graph.opset}"
        raise Refused(f"{why}: {graphs.opset_remedy(graph.opset, low, high)}")
    boxes, scores = node.inputs[:2]
    for tensor in (boxes, scores):
        if tensor.shape is not None and (len(tensor.shape) != 3 or 0 in tensor.shape):
            raise Refused(
                f"{tensor.name} has shape {tuple(tensor.shape)}, wanted are three sizes above 0", tensor
            )
    if boxes.dtype != scores.dtype:
        raise Refused(f"boxes are {boxes.dtype}, scores {scores.dtype}; the operator wants one type", scores)
    limit = option(graph, node, 2, "max_output_boxes_per_class")
    iou = option(graph, node, 3, "iou_threshold")
    if limit is None or limit <= 0:
        raise Refused("max_output_boxes_per_class is absent or 0, so nothing is ever selected", boxes)
    return Site(
        node=node,
        boxes=boxes,
        scores=scores,
        batch=_size(boxes, 0, default=1),
        classes=_size(scores, 1),
        limit=int(limit),
        iou_threshold=iou or 0.0,
        score_threshold=option(graph, node, 4, "score_threshold"),
        centred=bool(node.attrs.get("center_point_box", 0)),
    )


def operator_threshold(graph: passes.Graph, threshold: float | None, scores: Tensor) -> float:
    """The operator's ``score_threshold`` for that of a graph.

    The operator cannot keep scores of 0 or less (its unused slots have score 0). Where no score is negative, a
    threshold below 0, or none, differs from 0 only in slots with score 0.

    Raises:
        Refused: scores may be negative.
    """
    if threshold is not None and threshold >= 0:
        return threshold
    if graphs.bounds(graph, scores).low < 0:
        raise Refused(
            "scores may be negative and nothing removes those; the operator keeps scores above 0", scores
        )
    return 0.0


def option(graph: passes.Graph, node: Node, index: int, name: str) -> float | None:
    """The number an optional input holds, None where it is absent."""
    if index >= len(node.inputs) or node.inputs[index].is_empty():
        return None
    value = graphs.constant_value(graph, node.inputs[index])
    if value is None:
        raise Refused(f"{name} is not constant", node.inputs[index])
    if value.size != 1:
        raise Refused(f"{name} holds {value.size} numbers, not one", node.inputs[index])
    number: float = value.item()
    return number


def _size(tensor: Tensor, axis: int, default: int | None = None) -> int:
    size = tensor.shape[axis] if tensor.shape else None
    if isinstance(size, int):
        return size
    if default is None:
        raise Refused(f"axis {axis} of {tensor.name} has no fixed size", tensor, unsized=True)
    return default
