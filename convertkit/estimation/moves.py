"""Operators that compute nothing: they move bytes, or not even that."""

from __future__ import annotations

from convertkit.graph.costs import FREE, Cost, Operation

VIEWS = frozenset({"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""The same bytes under another shape."""

KNOWN = frozenset({"Constant", "ConstantOfShape", "Range", "Shape", "Size"})
"""Known before the graph runs, where shapes are static."""

COPYING = frozenset(
    {"Concat", "DepthToSpace", "Expand", "OneHot", "Pad", "ScatterElements", "ScatterND", "SpaceToDepth", "Tile",
     "Transpose"}
)  # fmt: skip
"""All of the input is read, all of the output written."""

PICKING = frozenset({"Gather", "GatherElements", "GatherND", "Slice", "Split"})
"""As much is read as is written, and the indices."""


def free(node: Operation) -> Cost:
    """Nothing happens."""
    return FREE


def copy(node: Operation) -> Cost:
    """As :data:`COPYING`."""
    return Cost("none", 0, node.reads, node.writes)


def pick(node: Operation) -> Cost:
    """As :data:`PICKING`."""
    indices = sum(item.bytes for item in node.inputs[1:] if item is not None)
    return Cost("none", 0, node.writes + indices, node.writes)
