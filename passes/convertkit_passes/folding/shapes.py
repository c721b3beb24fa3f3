"""Constants that need no arithmetic: Constant nodes, and the parts of a shape that the graph states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs

if TYPE_CHECKING:
    from convertkit.api import passes


def lift_constants(graph: passes.Graph) -> None:
    """Turns Constant nodes into initializers."""
    for node in graph.find("Constant"):
        values = _literal(node)
        if values is not None and node.outputs:
            become_constant(graph, node.outputs[0], values)


def fold_shapes(graph: passes.Graph) -> int:
    """Replaces Shape and Size nodes, and Gathers and Slices of a Shape, whose result the graph states.

    Returns:
        how many.
    """
    count = 0
    for node in graph.find(("Shape", "Size", "Gather", "Slice")):
        values = _known(node)
        if values is not None and node.outputs[0].outputs:  # else it was replaced already
            count += become_constant(graph, node.outputs[0], np.array(values, dtype=np.int64))
    return count


def become_constant(graph: passes.Graph, tensor: Any, values: Any) -> bool:
    """Makes a tensor a constant; one that is a graph output stays written by its node.

    Returns:
        whether it did.
    """
    if any(tensor is output for output in graph.outputs):
        return False
    for node in list(tensor.inputs):
        if len(node.outputs) == 1:
            node.outputs.clear()
        else:  # the others keep their places
            position = next(index for index, output in enumerate(node.outputs) if output is tensor)
            node.outputs[position] = gs.Variable(graph.fresh_name(f"{tensor.name}_unused"))
    tensor.to_constant(values)
    return True


def _literal(node: Any) -> Any:
    """The value of a Constant node; None for texts and sparse tensors."""
    if len(node.attrs) != 1:
        return None
    name, value = next(iter(node.attrs.items()))
    if name == "value" and isinstance(value, gs.Constant):
        return value._values  # unread, so that large ones stay as they are
    kinds = {
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
    }
    return np.array(value, dtype=kinds[name]) if name in kinds else None


def _known(node: Any) -> Any:
    """What a node says about a shape, as numbers; None where some of it is unknown."""
    if not node.outputs:
        return None
    if node.op == "Shape":
        dims = _dims(node)
        return dims if dims is not None and _all_known(dims) else None
    if node.op == "Size":
        dims = node.inputs[0].shape
        return int(np.prod(dims)) if dims is not None and _all_known(dims) else None
    source = node.inputs[0].inputs[0] if node.inputs[0].inputs else None
    dims = _dims(source) if source is not None and source.op == "Shape" else None
    if dims is None:
        return None
    picked = (_gather if node.op == "Gather" else _slice)(node, dims)
    return picked if picked is not None and _all_known(np.ravel(picked).tolist()) else None


def _dims(node: Any) -> Sequence[Any] | None:
    """The dimensions that a Shape node gives, known or not."""
    dims = node.inputs[0].shape
    return None if dims is None else list(dims)[node.attrs.get("start", 0) : node.attrs.get("end")]


def _all_known(dims: Sequence[Any]) -> bool:
    return all(isinstance(dim, (int, np.integer)) and dim >= 0 for dim in dims)


def _gather(node: Any, dims: Sequence[Any]) -> Any:
    indices = node.inputs[1]
    if not isinstance(indices, gs.Constant):
        return None
    values = graphs.values_of(indices)
    if np.any(values >= len(dims)) or np.any(values < -len(dims)):
        return None
    return np.take(np.array(dims, dtype=object), values)


def _slice(node: Any, dims: Sequence[Any]) -> Any:
    """A Slice of a vector can only be along its one axis."""
    found = slices_of(node)
    if found is None or len(found) != 1 or found[0][0] not in (0, -1):
        return None
    return np.array(dims, dtype=object)[found[0][1]]


def slices_of(node: Any) -> list[tuple[int, slice]] | None:
    """What a Slice takes: axes, each with its slice; None where it is no constant."""
    given = [
        None if item.is_empty() else graphs.values_of(item).ravel().tolist()
        for item in node.inputs[1:]
        if item.is_empty() or isinstance(item, gs.Constant)
    ]
    if len(given) != len(node.inputs) - 1:
        return None
    if not given:  # before opset 10
        given = [node.attrs.get(name) for name in ("starts", "ends", "axes")]
    starts, ends, axes, steps = [*given, None, None][:4]
    if not starts or not ends:
        return None
    axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):  # onnxruntime says so
        return None
    return [(axis, slice(*one)) for axis, *one in zip(axes, starts, ends, steps, strict=True)]
