"""Moves of nothing: a Slice that takes all there is, parts of a Concat without elements, tensors without elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.api import graphs
from convertkit_passes.folding.shapes import become_constant, slices_of

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
    dims, found = node.inputs[0].shape, slices_of(node)
    if dims is None or found is None:
        return False
    sizes = [dims[axis] for axis, _ in found]
    return all(isinstance(size, (int, np.integer)) for size in sizes) and all(
        part.start == 0 and part.step == 1 and part.stop >= size
        for size, (_, part) in zip(sizes, found, strict=True)
    )


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
