"""Nearest Resize in the words the chip understands."""

from __future__ import annotations

from convertkit.api import passes
from convertkit_ascend.linter.rules.resize import same_as_floor
from convertkit_ascend.linter.view import View

_PLAIN = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def plain_rounding(graph: passes.Graph) -> int:
    """Where a nearest Resize takes pixel floor(i * in / out) everywhere, it says so."""
    candidates = {
        node.name: node
        for node in graph.find("Resize")
        if node.attrs.get("mode", "nearest") == "nearest"
        and any(node.attrs.get(name) != value for name, value in _PLAIN.items())
    }
    if not candidates:
        return 0
    graph.tidy()
    count = 0
    for seen in View(graph.model()).nodes:
        node = candidates.get(seen.proto.name)
        if node is not None and seen.op == "Resize" and same_as_floor(seen):
            node.attrs.update(_PLAIN)
            count += 1
    return count
