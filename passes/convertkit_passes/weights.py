"""Which weights a simplifier must see, and which may stay behind as graph inputs of known type and shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from convertkit.api import graphs, passes

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

_WEIGHT_OPERANDS = {"Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (1, 2), "MatMul": (1,)}
"""Operators that only multiply by their weight, and where it stands: no fold reads it there."""

_FUSED = {"Mul", "Div", "Add", "Sub", "Pad"}
"""Neighbours that a fusion may fold into the weight when their other operand is constant."""

_ALWAYS_FUSED = {"BatchNormalization"}
_TRANSPARENT = {"Identity", "Dropout"}


@dataclass
class _Flow:
    """Who produces and who consumes each tensor, and which tensors are constant."""

    producers: dict[str, NodeProto] = field(default_factory=dict)
    consumers: dict[str, list[tuple[NodeProto, int]]] = field(default_factory=lambda: defaultdict(list))
    constant: set[str] = field(default_factory=set)
    captured: set[str] = field(default_factory=set)


def needed_weights(model: passes.LightModel) -> frozenset[str]:
    """Names of the detached initializers whose values some fold or fusion may use.

    A weight may stay behind when all it does is to multiply in a Conv, ConvTranspose, Gemm or MatMul whose
    neighbours cannot be fused into it. Everything else is needed: folding is then as good as on the whole model.
    """
    flow = _flow(model.proto.graph)
    detached = [tensor.name for tensor in model.detached()]
    return frozenset(name for name in detached if not _idle(name, flow))


def share_equal_weights(proto: ModelProto) -> None:
    """Lets detached initializers of equal data, type and shape be one, the first: equal branches are then seen."""
    first: dict[tuple[str, int, tuple[int, ...]], str] = {}
    renamed: dict[str, str] = {}
    fixed = {value.name for value in (*proto.graph.input, *proto.graph.output)}
    for tensor in proto.graph.initializer:
        key = graphs.weight_key(tensor)
        if key is not None and tensor.name not in fixed:
            name = first.setdefault((key, tensor.data_type, tuple(tensor.dims)), tensor.name)
            renamed |= {tensor.name: name} if name != tensor.name else {}
    for node in graphs.every_node(proto.graph):
        for index, name in enumerate(node.input):
            if name in renamed:
                node.input[index] = renamed[name]
    kept = [tensor for tensor in proto.graph.initializer if tensor.name not in renamed]
    if renamed:
        copies = [type(tensor).FromString(tensor.SerializeToString()) for tensor in kept]
        del proto.graph.initializer[:]
        proto.graph.initializer.extend(copies)


def _idle(name: str, flow: _Flow) -> bool:
    if name in flow.captured:
        return False
    return all(
        index in _WEIGHT_OPERANDS.get(node.op_type, ()) and not node.domain and _quiet(node, flow)
        for node, index in flow.consumers[name]
    )


def _quiet(node: NodeProto, flow: _Flow) -> bool:
    """No neighbour could be folded into the node's weight."""
    if node.op_type == "MatMul" and len(flow.consumers[node.input[0]]) > 1:
        return False  # three products of one input are fused by joining their weights
    producer = flow.producers.get(node.input[0])
    while producer is not None and producer.op_type in _TRANSPARENT:
        producer = flow.producers.get(producer.input[0])
    if producer is not None and _fusible(producer, flow):
        return False
    return not any(_fusible(consumer, flow) for consumer in _following(node.output[0], flow))


def _following(name: str, flow: _Flow) -> Iterator[NodeProto]:
    for consumer, _ in flow.consumers[name]:
        if consumer.op_type in _TRANSPARENT:
            yield from _following(consumer.output[0], flow)
        else:
            yield consumer


def _fusible(node: NodeProto, flow: _Flow) -> bool:
    if node.op_type in _ALWAYS_FUSED:
        return True
    return node.op_type in _FUSED and any(name in flow.constant for name in node.input)


def _flow(graph: GraphProto) -> _Flow:
    flow = _Flow(constant={tensor.name for tensor in graph.initializer})
    for node in graph.node:
        for index, name in enumerate(node.input):
            flow.consumers[name].append((node, index))
        flow.producers.update((name, node) for name in node.output)
        if node.op_type == "Constant" or (node.input and all(name in flow.constant for name in node.input)):
            flow.constant.update(node.output)
        for _, body in graphs.bodies(node):
            flow.captured.update(name for inner in graphs.every_node(body) for name in inner.input)
    flow.captured.update(value.name for value in graph.output)
    return flow
