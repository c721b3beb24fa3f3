"""What each operator does to the range of numbers; one that is missing here may give whatever its type holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs
from convertkit_passes.int64 import interval
from convertkit_passes.int64.interval import ANY, HIGHEST, SIZE, Interval, union

Rule = Callable[[Any, Sequence[Interval]], Interval]
"""From a node and the ranges of its inputs to the range of its first output."""

NOTHING = Interval(0, 0)
UNIT = Interval(0, 1)

_SAME = {
    "Cast", "CastLike", "Compress", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "GatherElements",
    "GatherND", "Identity", "Reshape", "ReverseSequence", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile",
    "Transpose", "Unique", "Unsqueeze",
}  # fmt: skip
"""The values of their first output are values of their first input."""

_POSITIONS = {("ArgMax", 0), ("ArgMin", 0), ("TopK", 1)}
_COUNTS = {("MaxPool", 1), ("NonZero", 0), ("Unique", 1), ("Unique", 2), ("Unique", 3)}
"""Outputs that are positions along an axis, and those below a number of elements (Unique's last is one)."""


def indices(node: Any, position: int) -> Interval | None:
    """The range of sizes and positions, of which the operator says itself that they are never negative."""
    dims = node.inputs[0].shape if node.inputs else None
    if node.op == "Shape":
        return SIZE
    if node.op == "Size":
        count = math.prod(dims) if dims is not None and is_static(dims) else None
        return SIZE if count is None else Interval(count, count)
    if (node.op, position) in _POSITIONS and dims and is_static(dims):
        return Interval(0, max(*dims, 1) - 1)
    if (node.op, position) in _POSITIONS | _COUNTS:
        return replace(SIZE, high=HIGHEST - 1) if node.op != "Unique" else SIZE
    return None


def computed(node: Any, inputs: Sequence[Interval], empty: Interval) -> Interval | None:
    """The range of a node's first output before its type stores it; None where the operator has no rule.

    Args:
        empty: what a reduction of nothing may give.
    """
    if node.op in _SAME:
        return inputs[0]
    if node.op in ("ReduceMax", "ReduceMin"):
        return inputs[0] if reduced(node) else union([inputs[0], empty])
    rule = _RULES.get(node.op)
    return None if rule is None else rule(node, inputs)


def peak(node: Any, inputs: Sequence[Interval], value: Interval) -> Interval:
    """The range of what is computed on the way to the first output, the output included."""
    if node.op == "ReduceMean":
        return interval.times(inputs[0], reduced(node))
    if node.op == "Range":  # its length is the quotient of a difference
        return union([value, interval.add(inputs[1], interval.negate(inputs[0]))])
    return value


def reduced(node: Any) -> int | None:
    """How many elements a reduction joins at most; None = unknown."""
    dims = node.inputs[0].shape
    if dims is None:
        return None
    axes = node.attrs.get("axes")
    if axes is None and len(node.inputs) > 1 and isinstance(node.inputs[1], gs.Constant):
        axes = graphs.values_of(node.inputs[1]).reshape(-1).tolist()
    if axes and not all(-len(dims) <= axis < len(dims) for axis in axes):
        return None
    joined = [dims[axis] for axis in axes] if axes else list(dims)
    return math.prod(joined) if is_static(joined) else None


def is_static(dims: Sequence[Any] | None) -> bool:
    """Whether every dimension is a number."""
    return dims is not None and all(isinstance(dim, int) and dim >= 0 for dim in dims)


def _joined(node: Any) -> int | None:
    """How many products a MatMul adds."""
    dims = node.inputs[0].shape
    return dims[-1] if dims and is_static(dims) else None


def _scatter(node: Any, inputs: Sequence[Interval]) -> Interval:
    adds = node.attrs.get("reduction", "none") in ("add", "mul")
    return ANY if adds else union([inputs[0], inputs[2]])


def _fill(node: Any, inputs: Sequence[Interval]) -> Interval:
    value = node.attrs.get("value")
    return NOTHING if value is None else interval.of_values(graphs.values_of(value))


def _literal(node: Any, inputs: Sequence[Interval]) -> Interval:
    name, value = next(iter(node.attrs.items()))
    if name == "value":
        return interval.of_values(graphs.values_of(value)) if isinstance(value, gs.Constant) else ANY
    known = name.startswith(("value_int", "value_float"))
    return interval.of_values(np.array(value)) if known else ANY


def _pad(node: Any, inputs: Sequence[Interval]) -> Interval:
    if node.attrs.get("mode", "constant") not in ("constant", b"constant"):
        return inputs[0]
    given = len(inputs) > 2 and not node.inputs[2].is_empty()
    filler = node.attrs.get("value", 0)
    return union([inputs[0], inputs[2] if given else Interval(filler, filler)])


def _clip(node: Any, inputs: Sequence[Interval]) -> Interval:
    """What the lower bound raises, then what the upper one lowers."""
    value = inputs[0]
    for index, name, apply in ((1, "min", interval.maximum), (2, "max", interval.minimum)):
        if name in node.attrs:
            value = apply([value, Interval(node.attrs[name], node.attrs[name])])
        elif index < len(inputs) and not node.inputs[index].is_empty():
            value = apply([value, inputs[index]])
    return value


def _divide(node: Any, inputs: Sequence[Interval]) -> Interval:
    """Of integers; floats reach any size, divided by little."""
    finite = all(isinstance(bound, int) for value in inputs for bound in (value.low, value.high))
    return interval.divide(inputs[0], inputs[1]) if finite else ANY


def _rounded(function: Callable[[float], int]) -> Rule:
    def rule(node: Any, inputs: Sequence[Interval]) -> Interval:
        low, high = inputs[0].low, inputs[0].high
        return Interval(
            function(low) if math.isfinite(low) else low, function(high) if math.isfinite(high) else high
        )

    return rule


_RULES: dict[str, Rule] = {
    "Abs": lambda node, x: interval.absolute(x[0]),
    "Add": lambda node, x: interval.add(x[0], x[1]),
    "Ceil": _rounded(math.ceil),
    "CenterCropPad": lambda node, x: union([x[0], NOTHING]),
    "Clip": _clip,
    "Concat": lambda node, x: union(x),
    "Constant": _literal,
    "ConstantOfShape": _fill,
    "CumSum": lambda node, x: interval.times(union([x[0], NOTHING]), reduced(node)),
    "Div": _divide,
    "EyeLike": lambda node, x: UNIT,
    "Floor": _rounded(math.floor),
    "HardSigmoid": lambda node, x: UNIT,
    "MatMul": lambda node, x: interval.times(interval.multiply(x[0], x[1]), _joined(node)),
    "Max": lambda node, x: interval.maximum(x),
    "Min": lambda node, x: interval.minimum(x),
    "Mod": lambda node, x: interval.modulo(x[0], x[1]),
    "Mul": lambda node, x: interval.multiply(x[0], x[1]),
    "Neg": lambda node, x: interval.negate(x[0]),
    "OneHot": lambda node, x: x[2],
    "Pad": _pad,
    "Range": lambda node, x: union(x[:2]),
    "ReduceL1": lambda node, x: interval.times(interval.absolute(x[0]), reduced(node)),
    "ReduceMean": lambda node, x: union([x[0], NOTHING]),
    "ReduceProd": lambda node, x: interval.power(x[0], reduced(node)),
    "ReduceSum": lambda node, x: interval.times(x[0], reduced(node)),
    "Relu": lambda node, x: interval.maximum([x[0], NOTHING]),
    "Round": _rounded(round),
    "ScatterElements": _scatter,
    "ScatterND": _scatter,
    "Scatter": _scatter,
    "Sigmoid": lambda node, x: UNIT,
    "Sign": lambda node, x: Interval(-1, 1),
    "Softmax": lambda node, x: UNIT,
    "Sub": lambda node, x: interval.add(x[0], interval.negate(x[1])),
    "Tanh": lambda node, x: Interval(-1, 1),
    "Trilu": lambda node, x: union([x[0], NOTHING]),
    "Where": lambda node, x: union(x[1:3]),
}
"""Sums and means of floats are rounded more than once: :class:`~convertkit_passes.int64.ranges.Ranges` uses none."""
