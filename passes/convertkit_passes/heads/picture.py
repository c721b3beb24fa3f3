"""Clipping the boxes of an NMS to a picture that is a graph input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Nms, Refused, annotated, canvas, head_of, sized, unsized
from convertkit_passes.heads.readers import readers
from convertkit_passes.heads.types import Tensor

_FLOAT16 = 10
"""``TensorProto.FLOAT16``."""

EVERYWHERE = float(np.finfo(np.float16).max)
"""Pixels: where nothing says how large the canvas is, it holds every box."""

CORNERS = ([0, 1, 0, 1], [2, 3, 2, 3])
"""Columns of x1 y1 x2 y2 that bound a box's four from below and from above."""


def clip(graph: passes.Graph, name: str, *, drop_empty: bool) -> tuple[passes.Finding, ...]:
    """Adds the input and clips the boxes of every NMS, all or none; a finding for each.

    Args:
        drop_empty: proposals without area after the clip get score 0.
    """
    with annotated(graph):
        found, others = list(sized(graph)), tuple(unsized(graph))
        if not found:
            return others
        try:
            _check(graph, name, found)
        except Refused as refused:
            return (*(refused.finding(item.where) for item in found), *others)
        why = f"boxes are clipped to the input {name}"
        findings = [passes.Finding("matched", item.where, why, item.boxes.name) for item in found]
        picture = type(found[0].node.outputs[0])(name, np.dtype(np.float32), (found[0].batch, 4))
        graph.inputs.append(picture)
        for item in found:
            item.node.inputs[0] = _clipped(graph, item, picture)
            if drop_empty and proposes(item):
                item.node.inputs[1] = _with_area(graph, item)
        return (*findings, *others)


def proposes(nms: Nms) -> bool:
    """Whether its boxes are proposals: another NMS depends on them."""
    return any(
        head_of(node) == "MulticlassNms" or node.op == "NonMaxSuppression"
        for _, node in readers(nms.node.outputs)
    )


def _check(graph: passes.Graph, name: str, found: list[Nms]) -> None:
    known = graph.surgeon.tensors()
    if name in known:
        raise Refused(f"the graph has a tensor {name} already", known[name])
    batches = {item.batch for item in found}
    if len(batches) > 1:
        raise Refused(f"the batch differs: {', '.join(map(str, sorted(batches)))}", found[0].boxes)


def _clipped(graph: passes.Graph, nms: Nms, picture: Tensor) -> Tensor:
    """``(B, N, q, 4)``, every box inside its picture."""
    boxes = nms.boxes
    for op, columns in zip(("Max", "Min"), CORNERS, strict=True):
        limit = _limit(graph, nms, picture, columns)
        boxes = graph.add(op, [boxes, limit], dtype=boxes.dtype, shape=boxes.shape)
    return boxes


def _limit(graph: passes.Graph, nms: Nms, picture: Tensor, columns: list[int]) -> Tensor:
    """``(B, 1, 1, 4)``: two columns of the picture, twice."""
    order = graph.constant(np.array(columns, np.int64), name="columns")
    row = graph.add("Gather", [picture, order], attrs={"axis": 1}, dtype=picture.dtype, shape=(nms.batch, 4))
    if nms.boxes.dtype == np.float16:
        row = graph.add("Cast", [row], attrs={"to": _FLOAT16}, dtype=nms.boxes.dtype, shape=row.shape)
    shape = graph.constant(np.array([nms.batch, 1, 1, 4], np.int64), name="shape")
    return graph.add("Reshape", [row, shape], dtype=row.dtype, shape=(nms.batch, 1, 1, 4))


def _with_area(graph: passes.Graph, nms: Nms) -> Tensor:
    """``(B, N, C)``: the scores, 0 where a box has no positive width and height."""
    boxes, scores = nms.boxes, nms.scores
    leading = (nms.batch, nms.count, nms.shared)
    low, high = (_columns(graph, boxes, start) for start in (0, 2))
    sides = graph.add("Sub", [high, low], dtype=boxes.dtype, shape=(*leading, 2))
    attrs = {"axes": [3], "keepdims": 0}
    shorter = graph.add("ReduceMin", [sides], attrs=attrs, dtype=boxes.dtype, shape=leading)
    sign = graph.add("Sign", [shorter], dtype=boxes.dtype, shape=leading)
    mask = graph.add("Relu", [sign], dtype=boxes.dtype, shape=leading)
    return graph.add("Mul", [scores, mask], dtype=scores.dtype, shape=scores.shape)


def _columns(graph: passes.Graph, boxes: Tensor, start: int) -> Tensor:
    """``(B, N, q, 2)``: one corner of every box."""
    ends = (np.array([value], np.int64) for value in (start, start + 2, 3))
    inputs = [
        graph.constant(item, name=name) for item, name in zip(ends, ("start", "end", "axis"), strict=True)
    ]
    return graph.add("Slice", [boxes, *inputs], dtype=boxes.dtype, shape=(*boxes.shape[:3], 2))


def whole_canvas(model: passes.LightModel, name: str) -> dict[str, NDArray[np.float32]]:
    """The value of the new input, where there is one, that says the picture fills the canvas, however large."""
    graph = graphs.open_graph(model)
    rows = next((tensor.shape[0] for tensor in graph.inputs if tensor.name == name), None)
    if rows is None:
        return {}
    corners: tuple[float, ...]
    try:
        corners = (0.0, 0.0, *canvas(graph))
    except Refused:
        corners = (-EVERYWHERE, -EVERYWHERE, EVERYWHERE, EVERYWHERE)
    return {name: np.tile(np.array(corners, np.float32), (rows, 1))}
