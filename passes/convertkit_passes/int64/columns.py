"""Ranges per column: the batch, class and box index of a NonMaxSuppression differ by orders of magnitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import onnx_graphsurgeon as gs

from convertkit.api import graphs
from convertkit_passes.int64.interval import SIZE, Interval


@dataclass(frozen=True)
class Columns:
    """One range for each position along an axis of a tensor.

    Attributes:
        axis: counted from the front.
        parts: as many as the tensor is long along the axis.
    """

    axis: int
    parts: tuple[Interval, ...]


def stated_columns(node: Any) -> Columns | None:
    """The columns of what an operator states about shapes: dimensions, or positions along them."""
    if node.op == "Shape" and node.inputs[0].shape is not None:
        dims = list(node.inputs[0].shape)[node.attrs.get("start", 0) : node.attrs.get("end")]
        return Columns(0, tuple(_size(dim) for dim in dims))
    if node.op == "NonZero" and node.inputs[0].shape:
        return Columns(0, tuple(_position(dim) for dim in node.inputs[0].shape))
    if node.op == "NonMaxSuppression":
        boxes, scores = (list(tensor.shape or (None, None, None)) for tensor in node.inputs[:2])
        return Columns(1, tuple(_position(dim) for dim in (boxes[0], scores[1], boxes[1])))
    return None


def derived_columns(node: Any, position: int, source: Columns) -> Columns | None:
    """The columns of an output whose first input has columns; ``axis`` -1 where the axis itself is gone."""
    if node.op in ("Identity", "Cast"):
        return source
    if node.op == "Transpose":
        order = node.attrs.get("perm", [1, 0])  # what has columns here is a matrix or a vector
        return replace(source, axis=order.index(source.axis)) if source.axis < len(order) == 2 else None
    if node.op == "Gather" and _axis(node.attrs.get("axis", 0), node) == source.axis:
        return _gather(node.inputs[1], source)
    if node.op == "Slice":
        return _slice(node, source)
    if node.op == "Split" and _axis(node.attrs.get("axis", 0), node) == source.axis:
        return _split(node, position, source)
    return None


def _size(dim: Any) -> Interval:
    return Interval(dim, dim) if isinstance(dim, int) and dim >= 0 else SIZE


def _position(dim: Any) -> Interval:
    return replace(_size(dim), low=0, high=max(_size(dim).high - 1, 0))


def _axis(axis: int, node: Any) -> int | None:
    """A non-negative axis; None where the rank is unknown."""
    if axis >= 0:
        return axis
    return axis + len(node.inputs[0].shape) if node.inputs[0].shape is not None else None


def _numbers(node: Any, index: int, name: str) -> Sequence[int] | None:
    """A list given as an input or, in older opsets, as an attribute."""
    if index < len(node.inputs) and not node.inputs[index].is_empty():
        tensor = node.inputs[index]
        return graphs.values_of(tensor).reshape(-1).tolist() if isinstance(tensor, gs.Constant) else None
    value = node.attrs.get(name)
    return list(value) if value is not None else None


def _gather(indices: Any, source: Columns) -> Columns | None:
    if not isinstance(indices, gs.Constant):
        return None
    values = graphs.values_of(indices)
    if values.ndim > 1 or any(
        not -len(source.parts) <= value < len(source.parts) for value in values.reshape(-1)
    ):
        return None
    picked = tuple(source.parts[value] for value in values.reshape(-1).tolist())
    return Columns(source.axis if values.ndim else -1, picked)


def _slice(node: Any, source: Columns) -> Columns | None:
    starts, ends = _numbers(node, 1, "starts"), _numbers(node, 2, "ends")
    if starts is None or ends is None or len(starts) != 1:
        return None
    if any(not isinstance(tensor, gs.Constant) for tensor in node.inputs[3:]):
        return None
    axes, steps = _numbers(node, 3, "axes") or [0], _numbers(node, 4, "steps") or [1]
    axis = _axis(axes[0], node)
    if axis != source.axis:
        return None if axis is None else source
    return replace(source, parts=source.parts[slice(starts[0], ends[0], steps[0])])


def _split(node: Any, position: int, source: Columns) -> Columns | None:
    sizes = _numbers(node, 1, "split")
    if sizes is None:
        return None
    start = sum(sizes[:position])
    return replace(source, parts=source.parts[start : start + sizes[position]])
