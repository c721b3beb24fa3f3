"""Rules about names: inputs, initializers and nodes share one name space (ascend-facts: parser-names)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, also, rule
from convertkit_ascend.linter.view import Node, View

_RENAME = "give it a name of its own (legalize-ascend does)"


@rule(
    "node-unnamed",
    fix="name it (legalize-ascend does)",
    severity="warning",
    source="ascend-facts: parser-names [run]",
)
def node_unnamed(node: Node) -> Iterator[Spot]:
    """Every node has a name."""
    if not node.proto.name:
        yield Spot.at(node, "it has no name", _RENAME)


@rule("node-name", fix="rename it (legalize-ascend does)", source="ascend-facts: parser-names; E13009 [run]")
def node_name(node: Node) -> Iterator[Spot]:
    """A node's name is its own: no other node, no graph input, no node made of an initializer has it."""
    name = node.proto.name
    if name and node.view.named[name] > 1:
        yield Spot.at(node, f"{node.view.named[name]} nodes have this name", _RENAME)
    elif name and any(name == value.name for value in node.view.inputs):
        yield Spot.at(node, "a graph input has this name", _RENAME)
    elif set(name) & set(";:"):
        yield Spot.at(node, "; and : in the name cannot be written in --out_nodes", _RENAME, "warning")


@also(node_name)
def node_named_as_initializer(view: View) -> Iterator[Spot]:
    """Initializer w becomes a node ``w_Initializer_<k>``, k its alphabetical position."""
    ordered = sorted(tensor.name for tensor in view.graph.initializer)
    taken = {f"{name}_Initializer_{k}" for k, name in enumerate(ordered)}
    for node in view.nodes:
        if node.proto.name in taken:
            yield Spot.at(node, "an initializer becomes a node of this name", _RENAME)


@rule("initializer-twice", fix="keep one", source="ascend-facts: parser-constants [run]")
def initializer_twice(view: View) -> Iterator[Spot]:
    """An initializer is there once; of two the last silently wins."""
    for name, count in sorted(Counter(tensor.name for tensor in view.graph.initializer).items()):
        if count > 1:
            yield Spot(name, f"{count} initializers have this name")


@rule("tensor-twice", fix="give the tensors different names", source="ascend-facts: parser-names [run]")
def tensor_twice(view: View) -> Iterator[Spot]:
    """One node writes a tensor; of two the last silently wins."""
    counts = Counter(name for node in view.nodes for name in node.outputs)
    for node in view.nodes:
        for name in dict.fromkeys(node.outputs):
            if counts[name] > 1:
                yield Spot.at(node, f"{counts[name]} nodes write {name}")
