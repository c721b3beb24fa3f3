"""Rules about the vendor operators in convertkit's own domain: they say themselves what they take."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, also
from convertkit_ascend.linter.rules.vendor import vendor_limit, vendor_note
from convertkit_ascend.linter.view import Node


@also(vendor_limit)
def limit(node: Node) -> Iterator[Spot]:
    """What the vendor's parser or kernel would refuse or silently change."""
    for line in _limits(node):
        yield Spot.at(node, line, "change the pass that made the node")


@also(vendor_note)
def note(node: Node) -> Iterator[Spot]:
    """What the 310P does differently from the operator's definition, inside the limits."""
    if node.vendor is not None and len(node.inputs) >= 2 and not _limits(node):
        yield from (Spot.at(node, line) for line in node.vendor.notes(node.values, node.shapes))


def _limits(node: Node) -> list[str]:
    if node.vendor is None or len(node.inputs) < 2:
        return []
    return node.vendor.limits(node.values, node.shapes, node.view.opset)
