"""Rules about names that only the parser's own naming makes clash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.subject import Subject

_RENAME = "give it a name of its own"


@rule(
    "node-name-generated",
    fix="name every node (legalize-ascend does)",
    source="ascend-facts: parser-names; E13009 [run]; n from 0 or 1 was not noted, both are refused [derived]",
    hides=("node-unnamed",),
)
def node_name_generated(subject: Subject) -> Iterator[Spot]:
    """An unnamed node becomes <OpType>_<n>, n counting unnamed nodes; nobody else may have that name."""
    taken = {node.name for node in subject.graph.node if node.name} | {item.name for item in subject.inputs}
    unnamed = [node for node in subject.graph.node if not node.name]
    for number, node in enumerate(unnamed):
        for name in (f"{node.op_type}_{number}", f"{node.op_type}_{number + 1}"):
            if name in taken:
                yield Spot.at(node, f"it may be called {name}, which is taken")
                break


@rule("input-name", fix=_RENAME, source="ascend-facts: parser-names; inputs become nodes too [derived]")
def input_name(subject: Subject) -> Iterator[Spot]:
    """No graph input is called as the node that an initializer becomes."""
    ordered = sorted(subject.constants)
    made = {f"{name}_Initializer_{k}": name for k, name in enumerate(ordered)}
    for value in subject.inputs:
        if value.name in made:
            yield Spot(value.name, f"initializer {made[value.name]} becomes a node of this name")


@rule(
    "input-unnamed",
    fix=_RENAME,
    source="ascend-facts: parser-names; inputs become nodes and are looked up by name; GetGraphInputs [read]",
    hides=("input-unused",),
)
def input_unnamed(subject: Subject) -> Iterator[Spot]:
    """Every graph input has a name: the node made of one that has none gets another, and is then not found."""
    for place, value in enumerate(subject.graph.input):
        if not value.name:
            yield Spot("", f"graph input {place} has no name")


@rule("input-twice", fix="list it once", source="ascend-facts: parser-inputs; E13009 [run]")
def input_twice(subject: Subject) -> Iterator[Spot]:
    """A graph input is listed once."""
    for name, count in Counter(value.name for value in subject.graph.input).items():
        if count > 1:
            yield Spot(name, f"it is listed {count} times")


@rule(
    "input-name-syntax",
    fix=_RENAME,
    severity="warning",
    source="ascend-facts: atc-shapes; --input_shape separates by ; and : [derived]",
)
def input_name_syntax(subject: Subject) -> Iterator[Spot]:
    """Names of graph inputs can be written in --input_shape, which separates by ; and :."""
    for value in subject.inputs:
        if set(value.name) & set(";:"):
            yield Spot(value.name, "; and : in the name separate in --input_shape")


@rule("attribute-twice", fix="write it once", source="ascend-facts: parser-attributes; the last wins [run]")
def attribute_twice(subject: Subject) -> Iterator[Spot]:
    """A node has an attribute once; of two the parser silently takes the last."""
    for node in subject.graph.node:
        for name, count in Counter(item.name for item in node.attribute).items():
            if count > 1:
                yield Spot.at(node, f"{name} is written {count} times")
