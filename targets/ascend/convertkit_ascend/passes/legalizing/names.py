"""Names: every node and every tensor has one, and nobody else has it."""

from __future__ import annotations

import onnx_graphsurgeon as gs

from convertkit.api import passes
from convertkit_ascend.linter.schemas import least


def give(graph: passes.Graph) -> int:
    """Names unnamed nodes, and renames those whose name a graph input or an earlier node has.

    ``;`` and ``:`` become ``_``: ``--out_nodes`` splits at them.
    """
    taken = {tensor.name for tensor in graph.inputs} | _of_initializers(graph)
    count = 0
    for node in graph.nodes:
        name = (node.name or f"unnamed/{node.op}").replace(";", "_").replace(":", "_")
        if not node.name or name in taken:
            name = _fresh(graph, name, taken)
        taken.add(name)
        count += name != node.name
        node.name = name
    return count


def give_tensors(graph: passes.Graph) -> None:
    """Every output gets a name, and no node lists inputs that it leaves out at the end: as :mod:`..handover.names`."""
    for node in graph.nodes:
        inputs, outputs = least(node.op, node.domain or "", graph.opset)
        while len(node.inputs) > inputs and node.inputs[-1].is_empty():
            node.inputs.pop()
        while len(node.outputs) > outputs and node.outputs[-1].is_empty():
            node.outputs.pop()
        for place, tensor in enumerate(node.outputs):
            if tensor.is_empty():
                node.outputs[place] = gs.Variable(graph.fresh_name(f"{node.name}_output_{place}"))


def _fresh(graph: passes.Graph, wanted: str, taken: set[str]) -> str:
    name = graph.fresh_name(wanted)
    while name in taken:
        name = graph.fresh_name(wanted)
    return name


def _of_initializers(graph: passes.Graph) -> set[str]:
    """The nodes that the parser makes of initializers (ascend-facts: parser-names)."""
    constants = [tensor for tensor in graph.surgeon.tensors().values() if isinstance(tensor, gs.Constant)]
    ordered = sorted(tensor.name for tensor in constants)
    return {f"{name}_Initializer_{position}" for position, name in enumerate(ordered)}
