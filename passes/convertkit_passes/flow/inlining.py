"""A branch takes the place of its If."""

from __future__ import annotations

from typing import Any

from convertkit.api import graphs, passes


def inline(graph: passes.Graph, node: Any, branch: Any) -> None:
    """Moves the nodes of a branch into the graph, in place of the If that holds it.

    What is called like something else in the graph gets another name.
    """
    results, outputs = list(branch.outputs), list(node.outputs)
    for side in (node.outputs, node.inputs, node.attrs):
        side.clear()
    graph.surgeon.nodes.remove(node)
    _rename(graph, branch)
    graph.surgeon.nodes.extend(branch.nodes)
    for old, new in zip(outputs, results, strict=True):
        if old.shape is not None and any(old is item for item in graph.outputs):
            new.shape = old.shape  # what the graph promises of its outputs, names of sizes too
        graph.replace(old, new)


def _rename(graph: passes.Graph, branch: Any) -> None:
    tensors = {name: tensor for part in graph.parts for name, tensor in part.tensors().items()}
    nodes = {item.name for part in graph.parts for item in part.nodes}
    made = [tensor for item in branch.nodes for tensor in item.outputs]
    for tensor in (*made, *filter(graphs.is_initializer, branch.tensors().values())):
        if tensors.get(tensor.name, tensor) is not tensor:
            tensor.name = graph.fresh_name(tensor.name)
    for item in branch.nodes:
        if item.name in nodes:
            item.name = graph.fresh_name(item.name or item.op)
