"""Names of nodes and tensors as the vendor's parser wants them.

Inputs, initializers and nodes share one name space there, and the empty name is one like any other
(ascend-facts: parser-names, parser-empty-name).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import onnx

from convertkit.api import graphs
from convertkit_ascend import ops
from convertkit_ascend.domain import plain
from convertkit_ascend.linter.schemas import least


def reserved(graph: onnx.GraphProto) -> set[str]:
    """Names that no node may have: those of the graph's inputs, and of the nodes that initializers become.

    Initializer w becomes ``w_Initializer_<k>``, k its alphabetical position.
    """
    ordered = sorted(tensor.name for tensor in graph.initializer)
    return {value.name for value in graph.input} | {
        f"{name}_Initializer_{k}" for k, name in enumerate(ordered)
    }


def settle(graph: onnx.GraphProto) -> None:
    """Gives every node a name of its own; one that has such a name already keeps it."""
    taken = reserved(graph)
    later = {node.name for node in graph.node}
    for node in graph.node:
        if not node.name or node.name in taken:
            node.name = _free(node.name or f"unnamed/{node.op_type}", taken | later)
        taken.add(node.name)


def settle_tensors(model: onnx.ModelProto) -> None:
    """No output without a name, in no graph, and no input left out at the end by an empty one.

    Outputs that an operator need not have go where they come last and are unnamed.
    """
    ops.register_schemas()
    opsets, taken = graphs.opsets_of(model), set(_tensors(model.graph))
    for node in graphs.every_node(model.graph):
        domain = plain(node.domain)
        own = domain == "" and node.op_type in ops.names()
        inputs, outputs = least(node.op_type, ops.DOMAIN if own else domain, opsets.get(domain, 0))
        while len(node.input) > inputs and not node.input[-1]:
            node.input.pop()
        while len(node.output) > outputs and not node.output[-1]:
            node.output.pop()
        for place, name in enumerate(node.output):
            if not name:
                node.output[place] = _free(f"{node.name or node.op_type}_output", taken)
                taken.add(node.output[place])


def _tensors(graph: onnx.GraphProto) -> Iterator[str]:
    for part in graphs.every_graph(graph):
        yield from (value.name for value in (*part.input, *part.output))
        yield from (tensor.name for tensor in part.initializer)
        for node in part.node:
            yield from (*node.input, *node.output)


def _free(wanted: str, taken: Collection[str]) -> str:
    number = 0
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"
