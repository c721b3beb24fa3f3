"""``MulticlassNms``: the record and its inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.heads.nms_reference import suppress
from convertkit.heads.operator import Attribute, Formal, Head

if TYPE_CHECKING:
    from convertkit.heads.inference import Node


def infer(node: Node) -> None:
    """Outputs ``(B, T, 4)``, ``(B, T)``, ``(B, T)`` of the boxes' type, ``(B,) int32``; T is max_total_size."""
    kind = node.floating((0, 1, 2))
    node.int32(3)
    batch, count, shared, corners = node.dims(0, 4)
    batch_of_scores, count_of_scores, classes = node.dims(1, 3)
    node.same("the four coordinates of a box", corners, 4)
    batch = node.same("the batch of boxes and scores", batch, batch_of_scores)
    node.same("the number of boxes and scores", count, count_of_scores)
    if shared != 1:
        node.same("the classes of boxes and scores", shared, classes)
    _infer_optional(node)
    total = node.attributes["max_total_size"]
    for index, dims in enumerate(((batch, total, 4), (batch, total), (batch, total))):
        node.set(index, kind, dims)
    node.set(3, 6, (batch,))


def _infer_optional(node: Node) -> None:
    batch = node.dims(0, 4)[0]
    window_batch, corners = node.dims(2, 2)
    (valid_batch,) = node.dims(3, 1)
    node.same("the batch", batch, window_batch, valid_batch)
    node.same("the four coordinates of clip_window", corners, 4)


INPUTS = (
    Formal("boxes", "(B, N, q, 4), x1 y1 x2 y2, q is 1 (shared by the classes) or C"),
    Formal("scores", "(B, N, C)"),
    Formal("clip_window", "(B, 4), columns as in boxes", option="optional"),
    Formal("num_valid_boxes", "(B,)", "tensor(int32)", option="optional"),
)

OUTPUTS = (
    Formal("nmsed_boxes", "(B, T, 4)"),
    # a node may leave out what it does not need
    Formal("nmsed_scores", "(B, T), descending", option="optional"),
    Formal("nmsed_classes", "(B, T), floating", option="optional"),
    Formal("nmsed_num", "(B,), how many slots are used", "tensor(int32)", "optional"),
)

MULTICLASS_NMS = Head(
    name="MulticlassNms",
    doc="Suppress overlapping boxes per class, then keep the best of all classes; unused slots are zero.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    attributes=(
        # below 0 the empty slots (score 0) would count as found
        Attribute("score_threshold", "FLOAT", "keep what scores above", low=0.0),
        Attribute("iou_threshold", "FLOAT", "suppress what overlaps more", low=0.0, high=1.0),
        Attribute("max_size_per_class", "INT", "keep so many of a class", low=1),
        Attribute("max_total_size", "INT", "keep so many in all: T", low=1),
        Attribute(
            "ties", "STRING", "of equal scores: lower box or class first", "box", choices=("box", "class")
        ),
        Attribute("drop_empty", "INT", "1: boxes without width and height go", 0, low=0, high=1),
        Attribute("smallest_union", "FLOAT", "the union of two boxes is at least that", 0.0, low=0.0),
    ),
    infer=infer,
    reference=suppress,
)
