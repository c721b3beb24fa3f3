"""The nodes of a graph as operations with static shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.graph.costs import Operand, Operation
from convertkit.graph.graph import open_graph
from convertkit.graph.shapes import annotate, static_shape

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class Node:
    """A node and what is known of it.

    Attributes:
        domain: empty for ONNX's own.
        known: computed from constants and static shapes alone, so before the graph runs.
        operation: None where a shape is not static; ``open`` then names the tensor.
        takes, makes: names of the tensors that are no constants.
        gives: whether one of those it makes is an output of the graph.
    """

    name: str
    op: str
    domain: str
    known: bool
    operation: Operation | None
    open: str = ""
    takes: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    gives: bool = False


def operations(model: LightModel, float_bytes: int) -> Iterator[Node]:
    """Every node in data-flow order.

    Args:
        float_bytes: what the machine stores a floating number in; other types keep their size.

    Raises:
        GraphError: the graph contradicts itself.
    """
    graph = open_graph(model)
    annotate(graph)
    graph.surgeon.toposort()
    settled: set[int] = set()
    given = {id(item) for item in graph.outputs}
    for node in graph.nodes:
        known = node.op == "Shape" and static_shape(node.inputs[0]) is not None
        known = known or all(_is_constant(item) or id(item) in settled for item in node.inputs)
        if known:
            settled.update(id(item) for item in node.outputs)
        yield replace(
            _node(node, known=known, float_bytes=float_bytes),
            takes=tuple(item.name for item in node.inputs if item.name and not _is_constant(item)),
            makes=tuple(item.name for item in node.outputs),
            gives=any(id(item) in given for item in node.outputs),
        )


def _node(node: Any, *, known: bool, float_bytes: int) -> Node:
    domain = "" if node.domain in (None, "ai.onnx") else node.domain
    name = node.name or (node.outputs[0].name if node.outputs else "")
    tensors = [item for item in (*node.inputs, *node.outputs) if item.name or _is_constant(item)]
    unknown = next((item for item in tensors if static_shape(item) is None or item.dtype is None), None)
    if unknown is not None:
        return Node(name, node.op, domain, known, None, unknown.name)
    operation = Operation(
        node.op,
        {key: value.decode() if isinstance(value, bytes) else value for key, value in node.attrs.items()},
        tuple(_operand(item, float_bytes) for item in node.inputs),
        tuple(found for item in node.outputs if (found := _operand(item, float_bytes)) is not None),
    )
    return Node(name, node.op, domain, known, operation)


def _operand(tensor: Any, float_bytes: int) -> Operand | None:
    shape = static_shape(tensor)
    if shape is None:
        return None
    dtype = np.dtype(tensor.dtype)
    return Operand(shape, float_bytes if dtype.kind == "f" else dtype.itemsize, _is_constant(tensor))


def _is_constant(tensor: Any) -> bool:
    return type(tensor).__name__ == "Constant"
