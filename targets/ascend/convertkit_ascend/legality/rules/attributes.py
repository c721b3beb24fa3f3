"""Rules about attributes that the parser reads, or does not."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.legality.view import Node, View, shown
from convertkit_ascend.legality.violation import Violation

_ELSEWHERE = {("Resize", "nearest_mode")}
"""Attributes that a rule of their own looks at."""


def ignored(view: View) -> Iterator[Violation]:
    """An attribute of a type the plugin does not expect is skipped without a word; so is one it does not ask for."""
    for node in view.nodes:
        if node.rule is None or node.op == "Constant":
            continue
        required = {check.name for check in node.rule.checks if check.kind in ("attr_required", "attr_type")}
        checked = {name for check in node.rule.checks for name in (check.name, *check.names)}
        for name in node.attributes:
            wanted = node.rule.attrs_read.get(name)
            if wanted is None and name not in checked and (node.op, name) not in _ELSEWHERE:
                yield from _unread(node, name)
            elif wanted not in (None, "any", node.attribute_type(name)) and name not in required:
                why = f"{name} must be {wanted}, it is {node.attribute_type(name)} and would be ignored"
                yield Violation(
                    node.name, node.op, "attr-type", why, "write it with the type the parser reads"
                )


def _unread(node: Node, name: str) -> Iterator[Violation]:
    if node.attribute_type(name) in ("GRAPH", "GRAPHS"):
        return  # said by subgraph
    if node.attribute(name) != node.default(name):
        why = f"the parser does not read {name} = {shown(node.attribute(name))}"
        fix = "make sure that the default means the same"
        yield Violation(node.name, node.op, "attr-unread", why, fix, "warning")
