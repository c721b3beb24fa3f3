"""Arithmetic that fp32 undoes and fp16 does not, planted into a graph at a place that data flow tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convertkit.graph.graph import Graph, open_graph
from convertkit.graph.light import LightModel

FACTOR = 2.0**16
"""A power of two: in fp32 the planted graph has the same bits."""

OFFSET = 30_000.0
"""Under the largest number of fp16, whose neighbours are 16 apart there."""

Choice = Callable[[Any], bool]


def neck(node: Any) -> bool:
    """The sum of two levels."""
    return node.op == "Add" and any(_made_by(tensor, "Resize") for tensor in node.inputs)


def backbone(node: Any) -> bool:
    """The sum at the end of a residual block."""
    return (
        node.op == "Add"
        and _read_by(node, "Relu")
        and any(_made_by(tensor, "Conv") for tensor in node.inputs)
    )


def mask_head(node: Any) -> bool:
    """What is made larger by the mask head."""
    return node.op == "Relu" and _read_by(node, "ConvTranspose")


def too_large(model: LightModel, choice: Choice) -> tuple[LightModel, set[str]]:
    """A factor before and its inverse behind the first node chosen, and the names of these nodes."""
    graph = open_graph(model)
    node = next(filter(choice, graph.nodes))
    names = {node.name}
    for place, tensor in enumerate(node.inputs):
        node.inputs[place] = _added(graph, "Mul", tensor, FACTOR)
        names.add(node.inputs[place].inputs[0].name)
    names |= _behind(graph, node, [("Mul", 1 / FACTOR)])
    return graph.model(), names


def too_coarse(model: LightModel, choice: Choice) -> tuple[LightModel, set[str]]:
    """A number added and taken off again behind the first node chosen, and the names of these nodes."""
    graph = open_graph(model)
    node = next(filter(choice, graph.nodes))
    names = _behind(graph, node, [("Add", OFFSET), ("Sub", OFFSET)])
    return graph.model(), names


def _behind(graph: Graph, node: Any, steps: list[tuple[str, float]]) -> set[str]:
    result, names = node.outputs[0], set()
    readers, last = list(result.outputs), result
    for op, value in steps:
        last = _added(graph, op, last, value)
        names.add(last.inputs[0].name)
    for reader in readers:
        for place, item in enumerate(reader.inputs):
            if item is result:
                reader.inputs[place] = last
    graph.surgeon.toposort()
    return names


def _added(graph: Graph, op: str, tensor: Any, value: float) -> Any:
    constant = graph.constant(np.float32([value]), name="planted")
    return graph.add(op, [tensor, constant], dtype=tensor.dtype, shape=tensor.shape)


def _made_by(tensor: Any, op: str) -> bool:
    return bool(tensor.inputs) and tensor.inputs[0].op == op


def _read_by(node: Any, op: str) -> bool:
    return [reader.op for reader in node.outputs[0].outputs] == [op]
