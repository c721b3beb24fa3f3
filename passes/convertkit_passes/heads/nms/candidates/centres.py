"""Boxes as centre and size, and as corners."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import passes
from convertkit_passes.heads.types import Tensor


def of_corners(boxes: NDArray[Any]) -> NDArray[Any]:
    """``(..., 4)``, x1 y1 x2 y2, as centre x, centre y, width, height."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], -1)


def emit_corners(graph: passes.Graph, boxes: Tensor) -> Tensor:
    """``(B, N, q, 4)``, the operations of NonMaxSuppression with ``center_point_box=1``: centre -/+ size / 2."""
    centre, size = (columns(graph, boxes, start) for start in (0, 2))
    two = graph.constant(np.array(2, boxes.dtype), name="two")
    half = graph.add("Div", [size, two], dtype=boxes.dtype, shape=size.shape)
    corners = [graph.add(op, [centre, half], dtype=boxes.dtype, shape=size.shape) for op in ("Sub", "Add")]
    return graph.add("Concat", corners, attrs={"axis": 3}, dtype=boxes.dtype, shape=boxes.shape)


def columns(graph: passes.Graph, boxes: Tensor, start: int) -> Tensor:
    """``(B, N, q, 2)``: two numbers of every box."""
    limits = [graph.constant(np.array([value], np.int64), name="columns") for value in (start, start + 2, 3)]
    return graph.add("Slice", [boxes, *limits], dtype=boxes.dtype, shape=(*boxes.shape[:3], 2))
