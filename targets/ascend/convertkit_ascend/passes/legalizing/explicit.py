"""Writing down what ONNX lets a graph leave out and the vendor's parser wants to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs, passes

_LITERALS = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}


def lift_constants(graph: passes.Graph) -> int:
    """Constant nodes become initializers: of their attributes the parser reads ``value`` only.

    A Constant that is a graph output stays a node; its literal becomes a tensor.
    """
    count = 0
    outputs = {id(tensor) for tensor in graph.outputs}
    for node in graph.find("Constant"):
        values = _literal(node)
        if values is None or not node.outputs:
            continue
        tensor = node.outputs[0]
        if id(tensor) not in outputs:
            node.outputs.clear()
            tensor.to_constant(values)
            count += 1
        elif "value" not in node.attrs:
            node.attrs.clear()
            node.attrs["value"] = gs.Constant(f"{tensor.name}_value", np.asarray(values))
            count += 1
    return count


def write_attributes(graph: passes.Graph) -> int:
    """Attributes the parser insists on: Transpose perm, ConvTranspose kernel_shape, ReduceMax and ReduceMin axes."""
    count = 0
    for node in graph.find(("Transpose", "ConvTranspose", "ReduceMax", "ReduceMin", "LogSoftmax")):
        name, value = _missing(graph, node)
        if name and name not in node.attrs and value is not None:
            node.attrs[name] = value
            count += 1
    return count


def write_bounds(graph: passes.Graph) -> int:
    """A Clip of floats that leaves out both bounds gets the lower one, the lowest float; ints need none."""
    count = 0
    for node in graph.find("Clip") if graph.opset >= 11 else ():
        kind = np.dtype(node.inputs[0].dtype or np.int64)
        if kind.kind == "f" and all(tensor.is_empty() for tensor in node.inputs[1:]):
            node.inputs = [node.inputs[0], graph.constant(np.finfo(kind).min, name="lowest")]
            count += 1
    return count


def _missing(graph: passes.Graph, node: Any) -> tuple[str, Any]:
    """The attribute a node needs, and its value; None where that is not known."""
    shape = node.inputs[0].shape
    rank = None if shape is None else len(shape)
    if node.op == "ConvTranspose":
        kernel = graphs.static_shape(node.inputs[1])
        return "kernel_shape", None if kernel is None else list(kernel[2:])
    if node.op == "LogSoftmax":
        return "axis", 1 if graph.opset < 13 else -1
    if rank is None:
        return "", None
    if node.op == "Transpose":
        return "perm", list(range(rank))[::-1]
    return ("axes", list(range(rank))) if graph.opset < 18 else ("", None)


def _literal(node: Any) -> Any:
    """The values of a Constant node; None for texts and sparse tensors."""
    if len(node.attrs) != 1:
        return None
    name, value = next(iter(node.attrs.items()))
    if name == "value" and isinstance(value, gs.Constant):
        return value._values  # unread, so that large ones stay as they are
    return np.array(value, dtype=_LITERALS[name]) if name in _LITERALS else None
