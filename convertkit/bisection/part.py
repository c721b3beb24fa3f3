"""Any nodes of a graph as a graph of their own, fed with what they get in the whole one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from convertkit.bisection.recorder import Recorder
from convertkit.errors import GraphError
from convertkit.graph.graph import Graph, Node, Tensor
from convertkit.graph.light import LightModel
from convertkit.graph.region import Region


def part_of(
    graph: Graph, positions: Collection[int], recorder: Recorder
) -> tuple[LightModel, dict[str, Any]]:
    """The nodes at these positions (file order) as a graph, and its inputs.

    Its inputs are what the nodes read and do not make; its outputs what others read, or nobody. Element types are those
    of the recorded values; shapes too, except where ``graph`` knows them in symbols.

    Raises:
        GraphError: a tensor on the border has no value, or the whole graph cannot be run.
    """
    nodes = tuple(node for position, node in enumerate(graph.nodes) if position in positions)
    inputs, outputs = _reads(nodes), _results(nodes, graph)
    values = recorder.values([item.name for item in (*inputs, *outputs)])
    for item in (*inputs, *outputs):
        if item.name not in values:
            raise GraphError(f"tensor {item.name!r} has no value")
        _declare(item, values[item.name])
    region = Region(graph, tuple(inputs), tuple(outputs), nodes)
    return region.model(), {item.name: values[item.name] for item in inputs}


def _reads(nodes: tuple[Node, ...]) -> list[Tensor]:
    made = {id(item) for node in nodes for item in node.outputs}
    found = {
        id(item): item
        for node in nodes
        for item in node.inputs
        if id(item) not in made and not isinstance(item, gs.Constant) and not item.is_empty()
    }
    return list(found.values())


def _results(nodes: tuple[Node, ...], graph: Graph) -> list[Tensor]:
    inside = {id(node) for node in nodes}
    ends = {id(item) for item in graph.outputs}
    made = [item for node in nodes for item in node.outputs if not item.is_empty()]
    return [
        item
        for item in made
        if id(item) in ends or not item.outputs or any(id(reader) not in inside for reader in item.outputs)
    ]


def _declare(tensor: Tensor, value: NDArray[Any]) -> None:
    tensor.dtype = value.dtype
    stated = tensor.shape
    if stated is None or len(stated) != value.ndim or not any(isinstance(size, str) for size in stated):
        tensor.shape = list(value.shape)
        return
    tensor.shape = [None if size == "?" else size for size in stated]  # each "?" is a size of its own
