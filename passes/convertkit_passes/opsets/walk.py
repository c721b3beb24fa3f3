"""From one opset to another, node by node and version by version, in a graph and in the graphs inside its nodes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from convertkit.api import graphs
from convertkit_passes.opsets import adapters, functions
from convertkit_passes.opsets.alone import alone, spliced
from convertkit_passes.opsets.converter import Converter
from convertkit_passes.opsets.schemas import check_values, same, schema
from convertkit_passes.opsets.types import Refused, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convertkit.api.passes import LightModel


@dataclass(frozen=True)
class Refusal:
    """A node that stays as it is.

    Attributes:
        node: the node.
        keeps: the last opset on the way that can say it.
        opset: the one behind, which cannot.
        why: in words that go on after that.
        remedy: what helps, but for staying there; None: nothing known.
    """

    node: onnx.NodeProto
    keeps: int
    opset: int
    why: str
    remedy: str | None


@dataclass(frozen=True)
class Conversion:
    """What became of a graph, and what is in the way. ``changed`` counts the nodes that have changed, by operator."""

    model: LightModel
    refusals: tuple[Refusal, ...]
    changed: dict[str, int]


def converted(model: LightModel, at: int, to: int) -> Conversion:
    """The graph in another opset. Nodes of other domains stay as they are.

    It is walked again each time when the converter has answered, which is asked for many nodes at once.

    Raises:
        PassError: onnx's converter crashed or ran past its time limit; names the node.
        GraphError: the graph contradicts itself.
    """
    typed, converter = graphs.inferred(model, strict=False), Converter()
    while True:
        walk = Walk(model, to, converter)
        result = walk.run(typed, at)
        if not converter.ask_all():
            return result


class Walk:
    """One walk through a model, of which it makes a copy."""

    def __init__(self, model: LightModel, to: int, converter: Converter) -> None:
        self.to, self.converter = to, converter
        self.weights = model
        self.proto = onnx.ModelProto()
        self.proto.CopyFrom(model.proto)
        self.refusals: list[Refusal] = []
        self.changed: dict[str, int] = {}

    def run(self, typed: onnx.ModelProto, at: int) -> Conversion:
        """Converts all of it.

        Args:
            typed: the same model with the types that inference finds.
            at: the opset that the model is of.
        """
        scope = Scope(_names(self.proto.graph))
        self._graph(self.proto.graph, typed.graph, at, scope)
        for item in self.proto.opset_import:
            if item.domain in ("", "ai.onnx"):
                item.version = self.to
        model = type(self.weights)(self.proto, self.weights.weights)
        return Conversion(model, tuple(self.refusals), self.changed)

    def _graph(self, graph: onnx.GraphProto, typed: onnx.GraphProto, at: int, scope: Scope) -> None:
        self._learn(graph, typed, scope)
        result: list[onnx.NodeProto] = []
        for node, twin in zip(graph.node, typed.node, strict=True):
            for (_, body), (_, inner) in zip(graphs.bodies(node), graphs.bodies(twin), strict=True):
                self._graph(body, inner, at, scope.inner())
            nodes = list(self._node(node, at, scope))
            if nodes != [node]:
                self.changed[node.op_type] = self.changed.get(node.op_type, 0) + 1
            result += nodes
        _replace(graph.node, result)
        _drop_unread(graph)

    def _learn(self, graph: onnx.GraphProto, typed: onnx.GraphProto, scope: Scope) -> None:
        defaults = {value.name for value in graph.input} if self.proto.ir_version >= 4 else set()
        for value in (*typed.input, *typed.value_info, *typed.output):
            scope.types[value.name] = value.type
        for tensor in graph.initializer:
            scope.types[tensor.name] = onnx.helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
            if tensor.name not in defaults:
                scope.constants[tensor.name] = partial(self.weights.array, tensor)
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                scope.constants[node.output[0]] = partial(onnx.numpy_helper.to_array, node.attribute[0].t)
            elif (
                node.op_type == "Constant"
                and node.attribute
                and node.attribute[0].name in ("value_ints", "value_int")
            ):
                values = onnx.helper.get_attribute_value(node.attribute[0])
                scope.constants[node.output[0]] = partial(np.array, values)

    def _node(self, node: onnx.NodeProto, at: int, scope: Scope) -> Iterator[onnx.NodeProto]:
        """The nodes that stand for one; itself where the operator does not change, or where one is refused."""
        step = _next(node, at, self.to)
        if step is None:
            yield node
            return
        try:
            made, opset = self._step(node, *step, scope)
        except Refused as refused:
            self.refusals.append(Refusal(node, *step, refused.why, refused.remedy))
            yield node
            return
        for item in made:
            yield from self._node(item, opset, scope)

    def _step(self, node: onnx.NodeProto, at: int, to: int, scope: Scope) -> tuple[list[onnx.NodeProto], int]:
        """The nodes that stand for one a version on, and the opset they are of.

        Raises:
            Refused: there is no way.
        """
        check_values(node, to)
        table = adapters.DOWN if to < at else adapters.UP
        if adapter := table.get((node.op_type, max(at, to))):
            return adapter(node, scope), to
        return self._first(node, at, to, scope)

    def _first(
        self, node: onnx.NodeProto, at: int, to: int, scope: Scope
    ) -> tuple[list[onnx.NodeProto], int]:
        """The first of the general ways that there is; where there is none, what the first one says."""
        old, new = schema(node.op_type, at), schema(node.op_type, to)
        assert old is not None  # else there was no step
        said = Refused("there is no such operator")
        if new is not None and not new.deprecated:
            try:
                return [same(node, scope, old, new)], to
            except Refused as refused:
                said = refused
        body = functions.body_opset(old, at)
        if body is not None:
            try:
                return functions.expanded(node, scope, body), body
            except Refused as refused:
                said = refused if new is None or new.deprecated else said
        if to < at:  # it has few ways down, and leaves out what it does not know: values of Resize, of Pad
            raise said
        model = alone(node, scope, at)
        try:
            made = self.converter.convert(model, to)
        except Refused as refused:
            raise said from refused
        # the answer comes before the next walk; until then it is in nobody's way
        return ([], to) if made is None else (spliced(made, node, scope), to)


def _next(node: onnx.NodeProto, at: int, to: int) -> tuple[int, int] | None:
    """The opset down to, or up to, which a node can stay, and the one behind it; None where it can stay at ``to``."""
    if node.domain not in ("", "ai.onnx"):
        return None
    now = schema(node.op_type, at)
    if now is None:
        return None  # the checker's business
    if to < at:
        return (now.since_version, now.since_version - 1) if now.since_version > to else None
    steps = (opset for opset in range(at + 1, to + 1) if _since(node.op_type, opset) != now.since_version)
    first = next(steps, None)
    return None if first is None else (first - 1, first)


def _since(op: str, opset: int) -> int | None:
    found = schema(op, opset)
    return None if found is None else found.since_version


def _names(graph: onnx.GraphProto) -> set[str]:
    """Every name of a tensor or node in a graph and in those inside."""
    names: set[str] = set()
    for part in graphs.every_graph(graph):
        names.update(item.name for item in (*part.node, *part.input, *part.output, *part.initializer))
        names.update(name for node in part.node for name in (*node.input, *node.output))
    return names


def _drop_unread(graph: onnx.GraphProto) -> None:
    """Takes out the constants that nothing reads any more."""
    read = graphs.names_read(graph) | {value.name for value in graph.input}
    _replace(
        graph.node, [node for node in graph.node if node.op_type != "Constant" or node.output[0] in read]
    )
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in read])


def _replace(field: Any, items: list[Any]) -> None:
    kept = [deepcopy(item) for item in items]
    del field[:]
    field.extend(kept)
