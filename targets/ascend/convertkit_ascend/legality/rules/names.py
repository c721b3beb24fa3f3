"""Rules about names: inputs, initializers and nodes share one name space (ascend-facts: parser-names)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from convertkit_ascend.legality.view import View
from convertkit_ascend.legality.violation import Violation

_RENAME = "give it a name of its own (legalize-ascend does)"


def node_names(view: View) -> Iterator[Violation]:
    """A node must have a name that no other node and no graph input has (E13009).

    Unnamed nodes become ``<OpType>_<n>``, which may clash. ``;`` and ``:`` cannot be written in ``--out_nodes``.
    """
    counts = Counter(node.proto.name for node in view.nodes)
    inputs = {value.name for value in view.inputs}
    for node in view.nodes:
        name = node.proto.name
        if not name:
            yield Violation(node.name, node.op, "node-unnamed", "it has no name", _RENAME, "warning")
        elif counts[name] > 1:
            yield Violation(name, node.op, "node-name", f"{counts[name]} nodes have this name", _RENAME)
        elif name in inputs:
            yield Violation(name, node.op, "node-name", "a graph input has this name", _RENAME)
        elif set(name) & set(";:"):
            why = "; and : in the name cannot be written in --out_nodes"
            yield Violation(name, node.op, "node-name", why, _RENAME, "warning")


def initializer_names(view: View) -> Iterator[Violation]:
    """Initializer w becomes a node ``w_Initializer_<k>``, k its alphabetical position: nobody else may have it."""
    ordered = sorted(tensor.name for tensor in view.graph.initializer)
    taken = {f"{name}_Initializer_{k}" for k, name in enumerate(ordered)}
    for node in view.nodes:
        if node.proto.name in taken:
            yield Violation(
                node.name, node.op, "node-name", "an initializer becomes a node of this name", _RENAME
            )
    for name, count in Counter(ordered).items():
        if count > 1:
            yield Violation(name, "", "initializer-twice", f"{count} initializers have this name", "keep one")


def tensors_written_once(view: View) -> Iterator[Violation]:
    """Of two nodes that write one tensor the parser silently takes the last."""
    counts = Counter(name for node in view.nodes for name in node.outputs)
    written = {name for name, count in counts.items() if count > 1}
    for node in view.nodes:
        for name in written & set(node.outputs):
            why = f"{counts[name]} nodes write {name}"
            yield Violation(node.name, node.op, "tensor-twice", why, "give the tensors different names")
