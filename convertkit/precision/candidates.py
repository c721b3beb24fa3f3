"""What may be kept in fp32, in pieces: nodes that a compiler fuses go together, and pieces of one pattern are tried so.

The order is a guess, by what rounding to fp16 may cost each piece at most, told by the ranges; a search that is led
astray by it takes longer and finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from convertkit.precision.coordinates import MOVES
from convertkit.precision.half import spacing

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.light import LightModel
    from convertkit.precision.ranges import Ranges, TensorRange

Piece: TypeAlias = tuple[str, ...]
"""Names of nodes, in the order of the graph."""

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})

JOINED = frozenset(
    {
        "Abs", "Add", "Cast", "Ceil", "Clip", "Div", "Erf", "Exp", "Expand", "Flatten", "Floor", "HardSigmoid",
        "HardSwish", "Identity", "LeakyRelu", "Log", "Max", "Min", "Mul", "Neg", "PRelu", "Pow", "Reciprocal", "Relu",
        "Reshape", "Round", "Sigmoid", "Sign", "Softplus", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Transpose",
        "Unsqueeze", "Where",
    }
)  # fmt: skip
"""Operators that a compiler computes together with one of these or a product before them, where nobody else reads that
one's result: they go value by value, or only give values another shape."""

SUMS = frozenset({"Add", "Sub", "Sum"})
ROUNDS_NOTHING = MOVES - {"Cast"}

LONGEST = 8
"""Nodes of a piece: fused kernels have their limits, and what is kept costs time."""

SMALL = 32.0
"""Pixels: the side of what COCO calls a small object, of which an error of coordinates is taken as a share."""


@dataclass(frozen=True)
class Pattern:
    """Pieces that consist of the same operators."""

    pieces: tuple[Piece, ...]

    @property
    def nodes(self) -> Piece:
        return tuple(name for piece in self.pieces for name in piece)


def patterns(model: LightModel, found: Ranges, cannot: Collection[str]) -> tuple[Pattern, ...]:
    """All that can be kept, what rounding may cost most first.

    Args:
        model: the graph that was measured.
        cannot: nodes that the target never computes in fp32.
    """
    graph, extents = model.proto.graph, {one.name: one for one in found.tensors}
    able = [node for node in graph.node if node.name and node.name not in cannot and _floats(node, extents)]
    worth = _worth(graph, extents)
    risks = {node.name: _risk(node, extents, worth) for node in able}
    kinds = {node.name: node.op_type for node in able}
    alike: dict[tuple[str, ...], list[Piece]] = {}
    for piece in _pieces(able, _readers(graph)):
        alike.setdefault(tuple(kinds[name] for name in piece), []).append(piece)
    made = [
        Pattern(tuple(sorted(pieces, key=lambda piece: -_worst(piece, risks)))) for pieces in alike.values()
    ]
    return tuple(sorted(made, key=lambda pattern: -_worst(pattern.nodes, risks)))


def _floats(node: onnx.NodeProto, extents: Mapping[str, TensorRange]) -> bool:
    return node.op_type != "Constant" and any(name in extents for name in node.output)


def _readers(graph: onnx.GraphProto) -> Mapping[str, int]:
    """By tensor: how many take it, the graph's outputs among them."""
    count: dict[str, int] = {}
    for name in [*(name for node in graph.node for name in node.input), *(one.name for one in graph.output)]:
        count[name] = count.get(name, 0) + 1
    return count


def _pieces(able: Sequence[onnx.NodeProto], readers: Mapping[str, int]) -> list[Piece]:
    made: list[list[str]] = []
    held: dict[str, list[str]] = {}
    for node in able:
        piece: list[str] | None = None
        if node.op_type in JOINED:
            alone = (name for name in node.input if name in held and readers[name] == 1)
            piece = next((held[name] for name in alone if len(held[name]) < LONGEST), None)
        if piece is None:
            made.append(piece := [])
        piece.append(node.name)
        if node.op_type in JOINED or node.op_type in PRODUCTS:
            held.update(dict.fromkeys(node.output, piece))
    return [tuple(piece) for piece in made]


def _risk(node: onnx.NodeProto, extents: Mapping[str, TensorRange], worth: Mapping[str, float]) -> float:
    """What rounding the results of a node may cost, and the terms of a sum."""
    if node.op_type in ROUNDS_NOTHING:
        return 0.0
    results = [name for name in node.output if name in extents]
    terms = [name for name in node.input if name in extents] if node.op_type in SUMS else []
    sizes = {name: extents[name].largest for name in (*results, *terms)}
    if None in sizes.values():
        return math.inf
    where = [(name, name) for name in results] + [(name, result) for name in terms for result in results]
    return max((spacing(sizes[name] or 0.0) * worth[at] for name, at in where if worth[at]), default=0.0)


def _worth(graph: onnx.GraphProto, extents: Mapping[str, TensorRange]) -> Mapping[str, float]:
    """By tensor: what an error of 1 may cost, as a share.

    Beside the tensor's own largest value, in coordinates beside :data:`SMALL` pixels, or where sums, factors and moves
    hand the error on to something smaller: class offsets that are taken off again.
    """
    worth = {name: _own(one) for name, one in extents.items()}
    for node in reversed(graph.node):
        behind = max((worth.get(name, 0.0) for name in node.output), default=0.0)
        for name, gain in _handed_on(node, extents):
            if name in worth:
                worth[name] = max(worth[name], gain * behind)
    return worth


def _own(one: TensorRange) -> float:
    share = 1 / one.largest if one.largest else 0.0
    return max(share, 1 / SMALL) if one.coordinates else share


def _handed_on(node: onnx.NodeProto, extents: Mapping[str, TensorRange]) -> Iterator[tuple[str, float]]:
    """The inputs whose errors a node hands on, and how much larger at most."""
    if node.op_type in SUMS or node.op_type in MOVES:
        yield from ((name, 1.0) for name in node.input)
    elif node.op_type == "Mul":
        for name, other in (node.input, reversed(node.input)):
            yield name, (extents[other].largest or 0.0) if other in extents else 0.0


def _worst(names: Collection[str], risks: Mapping[str, float]) -> float:
    return max(risks[name] for name in names)
