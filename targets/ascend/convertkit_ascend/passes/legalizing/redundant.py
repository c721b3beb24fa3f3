"""Operators that do nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from convertkit.api import graphs, passes
from convertkit_ascend.passes.legalizing.constants import values_of

SAME_SHAPE = frozenset({"Expand", "Flatten", "Reshape", "Slice", "Squeeze", "Tile", "Unsqueeze"})
"""These do nothing where the shape stays: none of them can move a value then, Slice unless it runs backwards."""

WIDER = {("int32", "int64"), ("float16", "float32"), ("int8", "int32"), ("uint8", "int32"), ("bool", "int32")}
"""Casts that keep every value, so that a Cast back undoes them."""


def drop(graph: passes.Graph) -> int:
    """Bypasses every node whose output is its input, bit for bit."""
    count = 0
    for node in graph.find():
        if len(node.outputs) != 1 or not node.inputs or not _bypassable(graph, node):
            continue
        if _does_nothing(node):
            graph.bypass(node)
            count += 1
        elif _undoes_a_cast(node):
            node.inputs[0] = node.inputs[0].inputs[0].inputs[0]
            graph.bypass(node)
            count += 1
    return count


def _bypassable(graph: passes.Graph, node: Any) -> bool:
    """Not where a graph output would have to be the copy of an input, of a constant or of another output."""
    result, source = node.outputs[0], node.inputs[0]
    if not any(result is tensor for tensor in graph.outputs):
        return True
    if node.op == "Cast" and source.inputs and source.inputs[0].op == "Cast":
        source = source.inputs[0].inputs[0]
    return bool(source.inputs) and not any(source is tensor for tensor in (*graph.outputs, *graph.inputs))


def _does_nothing(node: Any) -> bool:
    if node.op == "Identity":
        return True
    if node.op == "Cast":
        return node.inputs[0].dtype is not None and node.inputs[0].dtype == node.outputs[0].dtype
    if node.op == "Clip":  # without bounds it makes infinite floats finite
        whole = node.inputs[0].dtype is not None and np.dtype(node.inputs[0].dtype).kind in "iu"
        return whole and all(tensor.is_empty() for tensor in node.inputs[1:])
    if node.op == "Concat":
        return len(node.inputs) == 1
    if node.op == "Transpose":
        perm = node.attrs.get("perm")
        return perm is not None and list(perm) == list(range(len(perm)))
    if node.op in SAME_SHAPE:
        return _keeps_shape(node) and not (node.op == "Slice" and _runs_backwards(node))
    return False


def _keeps_shape(node: Any) -> bool:
    before = graphs.static_shape(node.inputs[0])
    return before is not None and before == graphs.static_shape(node.outputs[0])


def _runs_backwards(node: Any) -> bool:
    if len(node.inputs) < 5:
        return False
    steps = values_of(node.inputs[4])
    return steps is None or bool((steps < 0).any())


def _undoes_a_cast(node: Any) -> bool:
    """A Cast of a Cast that only widened the type it goes back to."""
    if node.op != "Cast" or len(node.inputs[0].inputs) != 1 or node.inputs[0].inputs[0].op != "Cast":
        return False
    kinds = [
        _kind(tensor) for tensor in (node.inputs[0].inputs[0].inputs[0], node.inputs[0], node.outputs[0])
    ]
    return kinds[0] == kinds[2] and (kinds[0], kinds[1]) in WIDER


def _kind(tensor: Any) -> str:
    return "" if tensor.dtype is None or isinstance(tensor.dtype, int) else np.dtype(tensor.dtype).name
