"""Which tensors hold coordinates: what the heads of a detector take and give as boxes, and what only moves those.

Nothing but data flow tells; arithmetic ends it, since behind it a number may be a width, or a share of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import onnx

from convertkit.graph.domains import acts_as
from convertkit.heads.domain import HEADS

Shapes = Mapping[str, tuple[int, ...]]
"""Of tensors whose shape is known, by name; -1 for an open size."""

MOVES = frozenset(
    {"Cast", "Clip", "Concat", "Expand", "Gather", "GatherElements", "GatherND", "Identity", "Max", "Min", "Reshape",
     "ScatterND", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where"}
)  # fmt: skip

_BOXES: Mapping[str, tuple[Callable[[onnx.NodeProto], list[str]], Callable[[onnx.NodeProto], list[str]]]] = {
    "MulticlassNms": (lambda node: [node.input[0], *node.input[2:3]], lambda node: [node.output[0]]),
    "MultilevelRoiAlign": (lambda node: [node.input[-1]], lambda node: []),
    "NonMaxSuppression": (lambda node: [node.input[0]], lambda node: []),
    "RoiAlign": (lambda node: [node.input[1]], lambda node: []),
}
"""Of a head, vendor's or standard: the inputs and outputs that are boxes."""


def coordinates(graph: onnx.GraphProto, shapes: Shapes) -> frozenset[str]:
    """The tensors of a graph, heads still in it, that hold coordinates in the unit of the heads' boxes."""
    makers = {name: node for node in graph.node for name in node.output}
    takers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    taken: list[str] = []
    given: list[str] = []
    for node in graph.node:
        inputs, outputs = _BOXES.get(_head(node), (_none, _none))
        taken += filter(None, inputs(node))
        given += filter(None, outputs(node))

    def before(name: str) -> Iterator[str]:
        maker = makers.get(name)
        if maker is not None and maker.op_type in MOVES:
            yield from _moved(maker, shapes)

    def behind(name: str) -> Iterator[str]:
        for node in takers.get(name, ()):
            if node.op_type in MOVES and name in _moved(node, shapes):
                yield from node.output

    return frozenset(_reached(taken, before) | _reached(given, behind))


def _head(node: onnx.NodeProto) -> str:
    known = node.domain in ("", "ai.onnx", HEADS)
    return node.op_type if known else acts_as(node.domain, node.op_type)


def _none(node: onnx.NodeProto) -> list[str]:
    return []


def _reached(waiting: list[str], steps: Callable[[str], Iterator[str]]) -> set[str]:
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += steps(name)
    return found


def _moved(node: onnx.NodeProto, shapes: Shapes) -> list[str]:
    """The inputs whose values a node moves, of a Concat of columns those that are boxes."""
    if node.op_type == "Where":
        return list(node.input[1:])
    if node.op_type in ("Max", "Min"):
        return list(node.input)
    if node.op_type == "ScatterND":
        return [node.input[0], node.input[2]]
    if node.op_type != "Concat":
        return list(node.input[:1])
    known = [shapes.get(name, ()) for name in node.input]
    axis = next(item.i for item in node.attribute if item.name == "axis")
    if not all(known) or axis % len(known[0]) != len(known[0]) - 1:
        return list(node.input)
    columns = [shape[-1] for shape in known]
    if columns == [1] * 4:
        return list(node.input)  # x1, y1, x2, y2
    return [name for name, count in zip(node.input, columns, strict=True) if count % 4 == 0]
