"""Moves of nothing: a Slice that takes all there is, parts of a Concat without elements, tensors without elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs
from convertkit_passes.folding.shapes import become_constant

if TYPE_CHECKING:
    from convertkit.api import passes


def drop_moves(graph: passes.Graph) -> int:
    """Takes off what moves nothing, as far as the shapes that the graph states tell.

    An exporter writes it for what a model does not have, such as the mask coefficients of a detector of boxes.

    Returns:
        how many nodes.
    """
    count = 0
    for node in graph.find(("Concat", "Slice")):
        if not node.outputs:
            continue
        if node.op == "Concat" and (full := _with_elements(node)) and len(full) < len(node.inputs):
            node.inputs = full
            count += 1
        if (node.op == "Concat" and len(node.inputs) == 1) or (node.op == "Slice" and _takes_all(node)):
            graph.bypass(node)
            count += 1
    return count + _drop_empty(graph)


def _with_elements(node: Any) -> list[Any]:
    """The parts of a Concat that are not known to be of size 0 along its axis."""
    axis = node.attrs["axis"]
    return [item for item in node.inputs if item.shape is None or item.shape[axis] != 0]


def _takes_all(node: Any) -> bool:
    """Whether a Slice begins at 0, steps by 1 and ends behind the last element of axes whose sizes are stated."""
    dims = node.inputs[0].shape
    given = [item for item in node.inputs[1:] if not item.is_empty()]
    if dims is None or len(node.inputs) < 3 or not all(isinstance(item, gs.Constant) for item in given):
        return False
    starts, ends, axes, steps = _slices(node)
    sizes = [dims[axis] for axis in axes]
    known = all(isinstance(size, (int, np.integer)) for size in sizes)
    return known and all(
        start == 0 and step == 1 and end >= size
        for start, end, size, step in zip(starts, ends, sizes, steps, strict=True)
    )


def _slices(node: Any) -> list[list[int]]:
    """Starts, ends, axes and steps."""
    found = [None if item.is_empty() else graphs.values_of(item).ravel().tolist() for item in node.inputs[1:]]
    starts, ends, axes, steps = [*found, None, None][:4]
    many = len(starts or [])
    return [starts or [], ends or [], axes or list(range(many)), steps or [1] * many]


def _drop_empty(graph: passes.Graph) -> int:
    """Tensors of a stated shape that has a 0 become constants."""
    found = [
        tensor
        for node in graph.nodes
        for tensor in node.outputs
        if tensor.outputs and 0 in (graphs.static_shape(tensor) or ()) and _is_plain(tensor)
    ]
    return sum(
        become_constant(graph, tensor, np.zeros(tuple(tensor.shape), tensor.dtype)) for tensor in found
    )


def _is_plain(tensor: Any) -> bool:
    return tensor.dtype is not None and not isinstance(tensor.dtype, int) and np.dtype(tensor.dtype) != object
