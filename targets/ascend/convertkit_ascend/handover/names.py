"""Node names as the vendor's parser wants them.

Inputs, initializers and nodes share one name space there (frontend, "Names").
"""

from __future__ import annotations

from collections.abc import Collection

import onnx


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


def _free(wanted: str, taken: Collection[str]) -> str:
    number = 0
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"
