"""Rules about the vendor operators in convertkit's own domain: they say themselves what they take."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.legality.view import View
from convertkit_ascend.legality.violation import Violation


def limits(view: View) -> Iterator[Violation]:
    """What the vendor's parser or kernel would refuse or silently change."""
    for node in view.nodes:
        if node.vendor is None or len(node.inputs) < 2:
            continue
        shapes = [view.shape(name) if name else None for name in node.inputs]
        values = {name: node.attribute(name) for name in node.attributes}
        for line in node.vendor.limits(values, shapes, view.opset):
            yield Violation(node.name, node.op, "vendor-limit", line, "change the pass that made the node")


def notes(view: View) -> Iterator[Violation]:
    """What the 310P does differently from the operator's definition."""
    for node in view.nodes:
        if node.vendor is None or len(node.inputs) < 2:
            continue
        shapes = [view.shape(name) if name else None for name in node.inputs]
        values = {name: node.attribute(name) for name in node.attributes}
        if node.vendor.limits(values, shapes, view.opset):
            continue  # remarks are about nodes that are inside the limits
        for line in node.vendor.notes(values, shapes):
            yield Violation(
                node.name, node.op, "vendor-note", line, "see the ladder's device rung", "warning"
            )
