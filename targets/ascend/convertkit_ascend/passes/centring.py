"""Moving the boxes of an NMS to the middle of the canvas and back."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Nms, Refused, annotated, canvas, sized, unsized

Shift: TypeAlias = NDArray[np.float32]
"""``(4,)``: W/2 H/2 W/2 H/2, pixels."""

PIXELS = 0.5
"""Boxes that stay below this share of the canvas are not in its pixels (normalized, or in strides)."""


def centre(graph: passes.Graph) -> tuple[passes.Finding, ...]:
    """Moves the boxes of every NMS that can be; a finding for each."""
    with annotated(graph):
        found = list(sized(graph))
        return (*(_move(graph, item) for item in found), *unsized(graph))


def _move(graph: passes.Graph, nms: Nms) -> passes.Finding:
    try:
        shift = _shift(graph, nms)
    except Refused as refused:
        return refused.finding(nms.where)
    why = f"boxes are moved by -{shift[0]:g}, -{shift[1]:g} and back"
    finding = passes.Finding("matched", nms.where, why, str(nms.boxes.name))
    _write(graph, nms, shift)
    return finding


def _shift(graph: passes.Graph, nms: Nms) -> Shift:
    width, height = canvas(graph)
    shift = np.array([width / 2, height / 2] * 2, np.float32)
    if _moved(nms, shift):
        raise Refused("its boxes are moved already", nms.boxes)
    high = graphs.bounds(graph, nms.boxes).high
    if high < PIXELS * min(width, height):
        raise Refused(f"its boxes stay below {high:g}, they are not in pixels of the canvas", nms.boxes)
    return shift


def _moved(nms: Nms, shift: Shift) -> bool:
    node = nms.boxes.inputs[0] if nms.boxes.inputs else None
    if node is None or node.op != "Sub" or not graphs.is_initializer(node.inputs[1]):
        return False
    return bool(np.array_equal(np.asarray(node.inputs[1].values).reshape(-1), shift))


def _write(graph: passes.Graph, nms: Nms, shift: Shift) -> None:
    node, found = nms.node, nms.node.outputs[0]
    dtype: Any = nms.boxes.dtype
    by = graph.constant(shift.astype(dtype), name="centre")
    node.inputs[0] = graph.add("Sub", [nms.boxes, by], dtype=dtype, shape=nms.boxes.shape)
    moved = type(found)(graph.fresh_name(f"{found.name}_centred"), dtype, found.shape)
    scores = _scores(graph, nms)
    node.outputs[0] = moved
    # scores are above a threshold of 0 or more: 1 in used slots, 0 in others
    used = graph.add("Sign", [scores], dtype=dtype, shape=scores.shape)
    batch, total = scores.shape
    shape = graph.constant(np.array([batch, total, 1], np.int64), name="shape")
    column = graph.add("Reshape", [used, shape], dtype=dtype, shape=(batch, total, 1))
    back = graph.add("Mul", [column, by], dtype=dtype, shape=(batch, total, 4))
    graph.add("Add", [moved, back], outputs=[found])


def _scores(graph: passes.Graph, nms: Nms) -> Any:
    """``(B, T)``; written out where the node left them out."""
    outputs = nms.node.outputs
    if len(outputs) > 1 and not outputs[1].is_empty():
        return outputs[1]
    total = nms.node.attrs["max_total_size"]
    scores = type(outputs[0])(graph.fresh_name("nmsed_scores"), nms.boxes.dtype, (nms.batch, total))
    if len(outputs) > 1:
        outputs[1] = scores
    else:
        outputs.append(scores)
    return scores
