"""Rules about attributes that the parser reads, or does not."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.view import Node, View, shown

_ELSEWHERE = {("Resize", "nearest_mode")}
"""Attributes that a rule of their own looks at."""


@rule(
    "attr-type", fix="write it with the type the parser reads", source="ascend-facts: parser-attributes [run]"
)
def attr_type(view: View) -> Iterator[Spot]:
    """Attributes have the type that the parser reads; others are skipped, defaults stay."""
    for node, name, wanted in _attributes(view):
        required = {check.name for check in node.checks if check.kind in ("attr_required", "attr_type")}
        if wanted not in (None, "any", node.attribute_type(name)) and name not in required:
            yield Spot.at(
                node, f"{name} must be {wanted}, it is {node.attribute_type(name)} and would be ignored"
            )


@rule(
    "attr-unread",
    fix="make sure that the default means the same",
    severity="warning",
    source="ascend-facts: parser-attributes [run]",
)
def attr_unread(view: View) -> Iterator[Spot]:
    """The parser reads every attribute that is not at its default."""
    for node, name, wanted in _attributes(view):
        checked = {each for check in node.checks for each in (check.name, *check.names)}
        if wanted is not None or name in checked or (node.op, name) in _ELSEWHERE:
            continue
        if node.attribute_type(name) in ("GRAPH", "GRAPHS"):
            continue  # said by subgraph
        if node.attribute(name) != node.default(name):
            yield Spot.at(node, f"the parser does not read {name} = {shown(node.attribute(name))}")


def _attributes(view: View) -> Iterator[tuple[Node, str, str | None]]:
    """Those of the nodes that the table has, with the type that the parser reads; None where it does not ask."""
    for node in view.nodes:
        if node.rule is not None and node.op != "Constant":
            yield from ((node, name, node.rule.attrs_read.get(name)) for name in node.attributes)
