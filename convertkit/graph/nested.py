"""Nodes inside nodes: the bodies of If, Loop, Scan and whatever else holds a graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx


def bodies(node: onnx.NodeProto) -> Iterator[tuple[str, onnx.GraphProto]]:
    """The graphs that a node holds, each with the name of the attribute it is in."""
    for attribute in node.attribute:
        for body in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
            yield attribute.name, body


def every_graph(graph: Any) -> Iterator[Any]:
    """A graph (or a function) and the subgraphs in it, whatever their depth."""
    yield graph
    for node in graph.node:
        for _, body in bodies(node):
            yield from every_graph(body)


def every_node(graph: Any) -> Iterator[onnx.NodeProto]:
    """The nodes of a graph or a function, then those of the subgraphs in it."""
    for part in every_graph(graph):
        yield from part.node


def nodes_inside(graph: onnx.GraphProto) -> int:
    """How many nodes there are in the bodies of its nodes."""
    return sum(1 for _ in every_node(graph)) - len(graph.node)


def names_read(graph: onnx.GraphProto) -> set[str]:
    """The tensors that outputs and nodes take; those inside nodes, too, unless their own graph brings them."""
    inner = (names_read(body) - _brought(body) for node in graph.node for _, body in bodies(node))
    outputs = {value.name for value in graph.output}
    return outputs.union((name for node in graph.node for name in node.input), *inner)


def captured(node: onnx.NodeProto) -> set[str]:
    """The tensors around a node that the graphs in it take."""
    found: set[str] = set()
    for _, body in bodies(node):
        made = {name for inner in body.node for name in inner.output}
        found |= names_read(body) - _brought(body) - made
    return found


def _brought(body: onnx.GraphProto) -> set[str]:
    return {tensor.name for tensor in body.initializer} | {value.name for value in body.input}
