"""Bounds and indices inside their axis: no huge ends, no negative indices, nothing of size 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from convertkit.api import graphs, passes
from convertkit_ascend.passes.legalizing.constants import values_of


def slice_bounds(graph: passes.Graph) -> int:
    """Constant starts and ends of Slice move into 0..size (steps above 0), axes into 0..rank-1."""
    return sum(_slice(graph, node) for node in graph.find("Slice"))


def gather_indices(graph: passes.Graph) -> int:
    """Constant negative indices of Gather and GatherElements get the size of the axis added."""
    count = 0
    for node in graph.find(("Gather", "GatherElements")):
        indices, shape = values_of(node.inputs[1]), graphs.static_shape(node.inputs[0])
        if indices is None or shape is None or not indices.size:
            continue
        size = shape[node.attrs.get("axis", 0)]
        if not -size <= indices.min() < 0:  # what lies outside is no index at all
            continue
        inside = np.where(indices < 0, indices + size, indices).astype(indices.dtype)
        node.inputs[1] = graph.constant(inside, name=f"{node.inputs[1].name}_counted_from_0")
        count += 1
    return count


def drop_empty_parts(graph: passes.Graph) -> int:
    """Concat leaves out what has nothing in it along its axis."""
    count = 0
    for node in graph.find("Concat"):
        axis = node.attrs["axis"]
        shapes = [graphs.static_shape(tensor) for tensor in node.inputs]
        kept = [
            tensor
            for tensor, shape in zip(node.inputs, shapes, strict=True)
            if shape is None or shape[axis] != 0
        ]
        if kept and len(kept) < len(node.inputs):
            node.inputs = kept
            count += 1
    return count


def _slice(graph: passes.Graph, node: Any) -> int:
    if len(node.inputs) < 3:
        return 0
    shape, given = graphs.static_shape(node.inputs[0]), [values_of(tensor) for tensor in node.inputs[1:]]
    if shape is None or any(
        value is None and not tensor.is_empty() for value, tensor in zip(given, node.inputs[1:], strict=True)
    ):
        return 0
    starts, ends = given[0], given[1]
    if starts is None or ends is None:
        return 0
    axes = given[2] if len(given) > 2 and given[2] is not None else np.arange(len(starts))
    steps = given[3] if len(given) > 3 and given[3] is not None else np.ones(len(starts), np.int64)
    inside = [
        _inside(int(start), int(end), int(step), shape[int(axis)])
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True)
    ]
    wanted = [
        [pair[0] for pair in inside],
        [pair[1] for pair in inside],
        [int(axis) % len(shape) for axis in axes],
    ]
    count = 0
    for slot, values in enumerate(wanted, 1):
        if slot < len(node.inputs) and given[slot - 1] is not None:
            count += _set(graph, node, slot, values)
    return count


def _inside(start: int, end: int, step: int, size: int) -> tuple[int, int]:
    """The same slice with 0 <= start <= end <= size; a slice that runs backwards stays as it is."""
    if step < 0:
        return start, end
    low, high, _ = slice(start, end, step).indices(size)
    return low, max(low, high)


def _set(graph: passes.Graph, node: Any, slot: int, values: list[int]) -> int:
    old = node.inputs[slot]
    known = values_of(old)
    if known is None or known.tolist() == values:
        return 0
    node.inputs[slot] = graph.constant(np.array(values, known.dtype), name=f"{old.name}_inside")
    return 1
