"""Sizes that have become known: what was computed from them is written down."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit_passes.heads.types import Node


def settle(graph: passes.Graph) -> None:
    """Annotates the graph, and replaces by constants what follows from sizes that have a number."""
    found = True
    while found:
        graphs.annotate(graph)
        found = False
        for node in graph.nodes:
            value = _value(graph, node) if len(node.outputs) == 1 else None
            if value is not None:
                graph.replace(node.outputs[0], graph.constant(value, name="size"))
                found = True
        graph.tidy()


def _value(graph: passes.Graph, node: Node) -> NDArray[Any] | None:
    """The value of an integer that is a size, or follows from constants alone."""
    shape = graphs.static_shape(node.inputs[0]) if node.inputs else None
    if node.op == "Shape" and shape is not None and not node.attrs:
        return np.array(shape, np.int64)
    output = node.outputs[0]
    known = node.inputs and all(graphs.is_initializer(item) or item.is_empty() for item in node.inputs)
    whole = output.dtype is not None and np.dtype(output.dtype).kind in "iub"
    return graphs.constant_value(graph, output) if known and whole else None
