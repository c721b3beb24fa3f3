"""Exports with the branch of an ``If`` in its place, as far as tests need it."""

from __future__ import annotations

import onnx


def with_boxes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with every branch that has a NonMaxSuppression in the place of its If, whatever the condition.

    torchvision asks whether there are any boxes; where there are none, NonMaxSuppression selects none as well.
    """
    graph, nodes = model.graph, []
    for node in graph.node:
        body = next((item.g for item in node.attribute if item.name == "else_branch"), onnx.GraphProto())
        if any(item.op_type == "NonMaxSuppression" for item in body.node):
            nodes.extend(_renamed(node, body))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def _renamed(node: onnx.NodeProto, body: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes of a branch, whose own tensors get the name of the If in front."""
    own = {name: f"{node.name}/{name}" for item in body.node for name in item.output}
    own.update(zip((item.name for item in body.output), node.output, strict=True))
    assert not body.initializer
    for item in body.node:
        item.name = f"{node.name}/{item.name}"
        item.input[:] = [own.get(name, name) for name in item.input]
        item.output[:] = [own.get(name, name) for name in item.output]
    return list(body.node)
