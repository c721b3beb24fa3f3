"""A graph cut at its vendor operators: stretches of standard ONNX with a vendor operator between them.

The depth of a tensor is the largest number of vendor operators on any path to it. Nodes of one depth make one stretch;
tensors that a later stretch or operator reads travel in between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from convertkit.api import graphs, targets
from convertkit_ascend.numerics.overflow import with_overflow
from convertkit_ascend.ops import DOMAIN, get

Values = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Stretch:
    """Standard ONNX between vendor operators, run by onnxruntime."""

    session: Any
    model: Any

    def run(self, values: Values) -> Mapping[str, NDArray[Any]]:
        """The tensors this stretch hands on, from those before it."""
        feeds = {name: values[name] for name in self.session.inputs}
        try:
            found: Mapping[str, NDArray[Any]] = self.session.run(feeds)
        except targets.GraphError as error:
            raise with_overflow(error, self.model, feeds) from error
        return found


@dataclass(frozen=True)
class Vendor:
    """One vendor operator, run by its executable semantics."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    semantics: Any
    constants: Mapping[str, NDArray[Any]]

    def run(self, values: Values) -> Mapping[str, NDArray[Any]]:
        """The operator's outputs by the names of the tensors."""
        known = {**values, **self.constants}
        arrays = [known[name] if name else None for name in self.inputs]
        results = get(self.op).compute(self.semantics, arrays, self.attributes)
        return {name: result for name, result in zip(self.outputs, results, strict=False) if name}


def segments(graph: graphs.Graph, semantics: Mapping[str, str]) -> list[Stretch | Vendor]:
    """What to run, in order.

    Args:
        graph: annotated; sorted by data flow.
        semantics: of each vendor operator by its name.
    """
    depths = _depths(graph)
    layers: dict[int, list[Any]] = defaultdict(list)
    vendors: dict[int, list[Any]] = defaultdict(list)
    for node in graph.nodes:
        (vendors if node.domain == DOMAIN else layers)[depths[id(node)]].append(node)
    steps: list[Stretch | Vendor] = []
    for depth in range(max([*layers, *vendors], default=-1) + 1):
        if layers[depth]:
            steps.append(_stretch(graph, layers[depth]))
        steps += [_vendor(node, semantics) for node in vendors[depth]]
    return steps


def _depths(graph: graphs.Graph) -> dict[int, int]:
    """Of every node by its id: how many vendor operators lie before it at most."""
    graph.surgeon.toposort()
    depths: dict[int, int] = {}
    for node in graph.nodes:
        before = [producer for tensor in node.inputs for producer in tensor.inputs]
        depths[id(node)] = max((depths[id(item)] + (item.domain == DOMAIN) for item in before), default=0)
    return depths


def _stretch(graph: graphs.Graph, nodes: list[Any]) -> Stretch:
    inside = {id(node) for node in nodes}
    inputs = _unique(
        tensor
        for node in nodes
        for tensor in node.inputs
        if not _is_inside(tensor, inside) and not _is_constant(tensor) and tensor.name
    )
    wanted = {id(item) for item in graph.outputs}
    outputs = _unique(
        tensor
        for node in nodes
        for tensor in node.outputs
        if id(tensor) in wanted or any(id(consumer) not in inside for consumer in tensor.outputs)
    )
    region = graphs.Region(graph, tuple(inputs), tuple(outputs), tuple(nodes))
    model = region.model()
    return Stretch(graphs.open_session(model), model)


def _vendor(node: Any, semantics: Mapping[str, str]) -> Vendor:
    attributes = {
        name: value.decode() if isinstance(value, bytes) else value for name, value in node.attrs.items()
    }
    return Vendor(
        node.op,
        tuple(item.name for item in node.inputs),
        tuple(item.name for item in node.outputs),
        attributes,
        semantics[node.op],
        {item.name: item.values for item in node.inputs if _is_constant(item)},
    )


def _is_constant(tensor: Any) -> bool:
    return type(tensor).__name__ == "Constant"


def _is_inside(tensor: Any, nodes: set[int]) -> bool:
    return any(id(producer) in nodes for producer in tensor.inputs)


def _unique(tensors: Iterable[Any]) -> list[Any]:
    return list({id(item): item for item in tensors}.values())
