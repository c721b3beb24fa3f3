"""The range of every integer tensor, from shapes, constants and interval arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit_passes.constants import peek
from convertkit_passes.int64 import interval
from convertkit_passes.int64.columns import Columns, derived_columns, stated_columns
from convertkit_passes.int64.interval import ASSUMED, HIGHEST, Interval, union

if TYPE_CHECKING:
    import convertkit

Rule = Callable[[Any, Sequence[Interval]], Interval]

_SAME = {
    "Cast", "Compress", "DepthToSpace", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity",
    "ReduceMax", "ReduceMin", "Reshape", "ReverseSequence", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile",
    "Transpose", "Unsqueeze",
}  # fmt: skip
"""The values of their first output are values of their first input."""


class Ranges:
    """Ranges by tensor; of tensors that are no integers too, where they say anything."""

    def __init__(self, graph: convertkit.Graph) -> None:
        self._known: dict[int, Interval] = {}
        self._peaks: dict[int, Interval] = {}
        self._columns: dict[int, Columns] = {}
        for node in graph.nodes:
            inputs = [self.of(tensor) for tensor in node.inputs]
            for position, tensor in enumerate(node.outputs):
                peak, value = self._by_column(node, position) or _output(node, position, inputs)
                self._known[id(tensor)], self._peaks[id(tensor)] = value.settled(), peak

    def of(self, tensor: Any) -> Interval:
        """The range of a tensor's values."""
        if id(tensor) not in self._known:
            self._known[id(tensor)] = _stated(tensor)
        return self._known[id(tensor)]

    def peak(self, tensor: Any) -> Interval:
        """The range of what is computed on the way to a tensor (the sum of a mean), its values included."""
        return self._peaks.get(id(tensor), self.of(tensor))

    def _by_column(self, node: Any, position: int) -> tuple[Interval, Interval] | None:
        """The range of an output as the union of its columns; None where it has none."""
        source = self._columns.get(id(node.inputs[0])) if node.inputs else None
        columns = stated_columns(node) if source is None else derived_columns(node, position, source)
        if columns is None or not columns.parts:
            return None
        if columns.axis >= 0:
            self._columns[id(node.outputs[position])] = columns
        values = union(columns.parts)
        return values, values


def _output(node: Any, position: int, inputs: Sequence[Interval]) -> tuple[Interval, Interval]:
    """The range of everything computed on the way to an output, and of the output."""
    indices = _indices(node, position)
    if indices is not None:
        return indices, indices
    if position > 0 and node.op != "Split":
        return ASSUMED, ASSUMED
    if node.op == "ReduceMean":
        return interval.times(inputs[0], _reduced(node)), inputs[0]
    if node.op == "Cast" and not _is_integer(node.inputs[0]):
        return ASSUMED, ASSUMED
    value = inputs[0] if node.op in _SAME and inputs else _RULES.get(node.op, _unknown)(node, inputs)
    return value, value


def _indices(node: Any, position: int) -> Interval | None:
    """The range of sizes and positions, of which the operator says itself that they are never negative."""
    if node.op in ("Shape", "NonZero"):
        return Interval(0, HIGHEST, known=False)
    if node.op == "Size":
        dims = node.inputs[0].shape
        size = math.prod(dims) if _static(dims) else None
        return Interval(0, HIGHEST, known=False) if size is None else Interval(size, size)
    if node.op in ("ArgMax", "ArgMin") or (node.op == "TopK" and position == 1):
        return _below(node.inputs[0].shape)
    return None


def _below(dims: Sequence[Any] | None) -> Interval:
    """Positions along any of the dimensions."""
    if not dims or not _static(dims):
        return Interval(0, HIGHEST, known=False)
    return Interval(0, max(*dims, 1) - 1)


def _static(dims: Sequence[Any] | None) -> bool:
    return dims is not None and all(isinstance(dim, int) and dim >= 0 for dim in dims)


def _is_integer(tensor: Any) -> bool:
    kind = tensor.dtype
    return kind is not None and not isinstance(kind, int) and np.dtype(kind).kind in "iub"


def _stated(tensor: Any) -> Interval:
    """What a tensor says by itself: a constant its values, a truth value its type."""
    if not _is_integer(tensor):
        return ASSUMED
    if isinstance(tensor, gs.Constant):
        values = peek(tensor)
        return Interval(int(values.min()), int(values.max())) if values.size else Interval(0, 0)
    return Interval(0, 1) if np.dtype(tensor.dtype).kind == "b" else ASSUMED


def _reduced(node: Any) -> int | None:
    """How many elements a reduction joins at most; None = unknown."""
    dims = node.inputs[0].shape
    if dims is None:
        return None
    axes = node.attrs.get("axes")
    if axes is None and len(node.inputs) > 1 and isinstance(node.inputs[1], gs.Constant):
        axes = peek(node.inputs[1]).reshape(-1).tolist()
    joined = list(dims) if axes is None else [dims[axis] for axis in axes]
    return math.prod(joined) if _static(joined) else None


def _columns(node: Any) -> int | None:
    dims = node.inputs[0].shape
    return dims[-1] if dims and _static(dims) else None


def _unknown(node: Any, inputs: Sequence[Interval]) -> Interval:
    return ASSUMED


def _where(node: Any, inputs: Sequence[Interval]) -> Interval:
    return union(inputs[1:3])


def _scatter(node: Any, inputs: Sequence[Interval]) -> Interval:
    return ASSUMED if node.attrs.get("reduction", "none") != "none" else union([inputs[0], inputs[2]])


def _fill(node: Any, inputs: Sequence[Interval]) -> Interval:
    value = node.attrs.get("value")
    return _stated(value) if value is not None else Interval(0, 0)


def _literal(node: Any, inputs: Sequence[Interval]) -> Interval:
    numbers = node.attrs.get("value_ints", [node.attrs.get("value_int", 0)])
    return _stated(node.attrs["value"]) if "value" in node.attrs else Interval(min(numbers), max(numbers))


def _range(node: Any, inputs: Sequence[Interval]) -> Interval:
    return union(inputs[:2])


def _clip(node: Any, inputs: Sequence[Interval]) -> Interval:
    """Bounds given as constants bound the result, whatever comes in."""
    given = [inputs[i] if i < len(inputs) and not node.inputs[i].is_empty() else ASSUMED for i in (1, 2)]
    low, high = (given[0].low if given[0].known else None), (given[1].high if given[1].known else None)
    if low is not None and high is not None:
        return Interval(min(low, high), high)
    return inputs[0]


_RULES: dict[str, Rule] = {
    "Add": lambda node, x: interval.add(x[0], x[1]),
    "Sub": lambda node, x: interval.add(x[0], interval.negate(x[1])),
    "Mul": lambda node, x: interval.multiply(x[0], x[1]),
    "Div": lambda node, x: interval.divide(x[0], x[1]),
    "Mod": lambda node, x: interval.modulo(x[0], x[1]),
    "Neg": lambda node, x: interval.negate(x[0]),
    "Abs": lambda node, x: union([x[0], interval.negate(x[0])]),
    "Sign": lambda node, x: Interval(-1, 1),
    "Max": lambda node, x: union(x),
    "Min": lambda node, x: union(x),
    "Concat": lambda node, x: union(x),
    "Pad": lambda node, x: union([x[0], x[2] if len(x) > 2 else Interval(0, 0)]),
    "Trilu": lambda node, x: union([x[0], Interval(0, 0)]),
    "ReduceSum": lambda node, x: interval.times(x[0], _reduced(node)),
    "CumSum": lambda node, x: interval.times(x[0], _reduced(node)),
    "ReduceL1": lambda node, x: interval.times(union([x[0], interval.negate(x[0])]), _reduced(node)),
    "MatMul": lambda node, x: interval.times(interval.multiply(x[0], x[1]), _columns(node)),
    "Where": _where,
    "ScatterElements": _scatter,
    "ScatterND": _scatter,
    "Scatter": _scatter,
    "ConstantOfShape": _fill,
    "Constant": _literal,
    "Range": _range,
    "Clip": _clip,
}
