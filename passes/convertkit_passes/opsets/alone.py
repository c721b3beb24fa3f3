"""A node as a model of its own, and what came of one back among the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import onnx

from convertkit.api import graphs
from convertkit_passes.opsets.types import Refused, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 1 << 16
"""Values of a constant that travel with a node: axes, sizes, scales; no weights."""

IR_VERSION = 8


def alone(node: onnx.NodeProto, scope: Scope, opset: int) -> onnx.ModelProto:
    """The model of one node, whose inputs have the types that are known, and the values where they are few.

    Raises:
        Refused: the type of an input is unknown, or the node holds a graph.
    """
    if any(graphs.bodies(node)):
        raise Refused("it holds a graph and is another in that version")
    names = list(dict.fromkeys(filter(None, node.input)))
    if unknown := [name for name in names if name not in scope.types]:
        raise Refused(f"the type of input {unknown[0]!r} is unknown", "simplify in front of it may tell it")
    inputs = [onnx.helper.make_value_info(name, scope.types[name]) for name in names]
    outputs = [
        onnx.helper.make_value_info(name, scope.types[name])
        if name in scope.types
        else onnx.ValueInfoProto(name=name)
        for name in filter(None, node.output)
    ]
    graph = onnx.helper.make_graph([node], "node", inputs, outputs, _small(names, scope))
    imports = [onnx.helper.make_opsetid("", opset)]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def _small(names: Iterable[str], scope: Scope) -> list[onnx.TensorProto]:
    def size(name: str) -> int:
        shape = scope.shape(name)
        return MOST + 1 if shape is None or None in shape else int(math.prod(size or 0 for size in shape))

    known = (name for name in names if name in scope.constants and size(name) <= MOST)
    return [onnx.numpy_helper.from_array(scope.constants[name](), name) for name in known]


def spliced(made: onnx.ModelProto, node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    """The nodes that stand for ``node``, their own tensors under fresh names, which the scope learns of."""
    graph = onnx.shape_inference.infer_shapes(made).graph
    names = {name: name for name in (*node.input, *node.output)}
    result = []
    for tensor in graph.initializer:
        if tensor.name not in names:
            result.append(scope.constant(onnx.numpy_helper.to_array(tensor), f"{node.output[0]}/constant"))
            names[tensor.name] = result[-1].output[0]
    for name in (name for item in graph.node for name in item.output if name not in names):
        names[name] = scope.fresh(f"{node.output[0]}/{name}")
    for value in graph.value_info:
        if value.name not in node.input and value.name not in node.output:
            scope.types[names[value.name]] = value.type
    return [*result, *(_renamed(item, node, names, scope) for item in graph.node)]


def _renamed(
    item: onnx.NodeProto, node: onnx.NodeProto, names: dict[str, str], scope: Scope
) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(item)
    for field in (copy.input, copy.output):
        field[:] = [names[name] for name in field]
    same = item.op_type == node.op_type
    copy.name = node.name if same else scope.fresh(f"{node.name or node.output[0]}/{item.op_type}")
    copy.domain = ""
    if copy.op_type == "Constant" and (
        tensor := next((a.t for a in copy.attribute if a.name == "value"), None)
    ):
        scope.know(copy.output[0], onnx.numpy_helper.to_array(tensor))
    return copy
