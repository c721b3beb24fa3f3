"""A region of a graph: everything between some tensors and others, cut out and run on its own.

What a part of a graph computes can be asked by running it: with features that say which level they are, with boxes of
growing size. A rewrite that asks instead of comparing node lists does not depend on how an exporter wrote the part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx_graphsurgeon.util.exception import OnnxGraphSurgeonException

from convertkit.errors import GraphError
from convertkit.graph.constants import values_of
from convertkit.graph.graph import Graph, Node, Tensor, export
from convertkit.graph.light import LightModel, detach
from convertkit.graph.session import Session, open_session


class LeakError(GraphError):
    """A region needs a tensor that is not among its inputs.

    Attributes:
        tensor: the graph input (or produced-by-nobody tensor) that the walk ran into.
    """

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(f"the region also needs {tensor.name!r}")
        self.tensor = tensor


@dataclass(frozen=True)
class Region:
    """Nodes that compute ``outputs`` from ``inputs`` and constants."""

    graph: Graph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    nodes: tuple[Node, ...]

    def model(self) -> LightModel:
        """The region as a graph of its own; tensors keep their names, so several may be compared by name.

        Raises:
            GraphError: a branch or a loop in it takes what a node outside of that body computes.
        """
        copies: dict[int, Tensor] = {}
        nodes = [_copy_node(node, copies) for node in self.nodes]
        surgeon = gs.Graph(
            nodes=nodes,
            inputs=[_copy_tensor(item, copies) for item in self.inputs],
            outputs=[_copy_tensor(item, copies) for item in self.outputs],
            opset=self.graph.opset,
            import_domains=self.graph.surgeon.import_domains,
            ir_version=self.graph.surgeon.ir_version,
        )
        try:
            surgeon.toposort()
        except OnnxGraphSurgeonException as error:  # it finds the node that made the tensor, and not its copy
            raise GraphError(
                "a branch or a loop takes a computed tensor from the graph around it, and cannot be cut out",
                hint="resolve-if and inline-functions bring most nodes out",
            ) from error
        return detach(export(surgeon), self.graph.weights)

    @cached_property
    def session(self) -> Session:
        """onnxruntime on the region, node by node as written.

        Raises:
            GraphError: onnxruntime does not take it.
        """
        return open_session(self.model(), optimize=False)

    def run(self, *arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """The outputs for inputs in the region's order; an input is cast to the dtype the region wants.

        Raises:
            GraphError: a node fails on these values.
        """
        feeds = {
            tensor.name: np.asarray(array, tensor.dtype, order="C")
            for tensor, array in zip(self.inputs, arrays, strict=True)
        }
        return tuple(self.session.run(feeds).values())


def cut(graph: Graph, outputs: Sequence[Tensor], inputs: Iterable[Tensor]) -> Region:
    """The region between ``inputs`` and ``outputs``.

    Raises:
        LeakError: an output also depends on something that is neither an input nor a constant.
    """
    borders = tuple(inputs)
    stops = {id(item) for item in borders}
    found: dict[int, Node] = {}
    waiting = [item for item in outputs if id(item) not in stops]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in stops or isinstance(tensor, gs.Constant) or tensor.is_empty():
            continue
        if not tensor.inputs:
            raise LeakError(tensor)
        for node in tensor.inputs:
            if id(node) not in found:
                found[id(node)] = node
                waiting.extend(node.inputs)
    nodes = tuple(node for node in graph.nodes if id(node) in found)
    return Region(graph, borders, tuple(outputs), nodes)


def _copy_node(node: Node, copies: dict[int, Tensor]) -> Node:
    inputs = [_copy_tensor(item, copies) for item in node.inputs]
    outputs = [_copy_tensor(item, copies) for item in node.outputs]
    return gs.Node(node.op, node.name, dict(node.attrs), inputs, outputs, node.domain)


def _copy_tensor(tensor: Tensor, copies: dict[int, Tensor]) -> Tensor:
    if id(tensor) not in copies:
        constant = isinstance(tensor, gs.Constant)
        copies[id(tensor)] = (
            gs.Constant(tensor.name, values_of(tensor))
            if constant
            else gs.Variable(tensor.name, tensor.dtype, tensor.shape)
        )
    return copies[id(tensor)]
