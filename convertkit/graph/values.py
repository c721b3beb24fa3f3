"""What is known of a tensor before the graph runs: constants, and bounds that follow from Clip, Sigmoid and others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from convertkit.errors import GraphError
from convertkit.graph.constants import is_initializer, values_of
from convertkit.graph.graph import Graph, Node, Tensor
from convertkit.graph.region import cut


@dataclass(frozen=True)
class Bounds:
    """Every finite element of a tensor lies in ``low..high``."""

    low: float
    high: float

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    def join(self, other: Bounds) -> Bounds:
        return Bounds(min(self.low, other.low), max(self.high, other.high))


ANY = Bounds(-np.inf, np.inf)


def constant_value(graph: Graph, tensor: Tensor) -> NDArray[Any] | None:
    """The value of a tensor that no graph input has a part in, else None."""
    if is_initializer(tensor):
        return values_of(tensor)
    try:
        return cut(graph, [tensor], []).run()[0]
    except GraphError:
        return None


def bounds(graph: Graph, tensor: Tensor) -> Bounds:
    """The tightest bounds that follow from the operators above; unbounded where they say nothing."""
    return _Walk(graph).of(tensor)


class _Walk:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[int, Bounds] = {}

    def of(self, tensor: Tensor) -> Bounds:
        """The bounds of a tensor, those of what it is made of first: a chain may be longer than Python's stack."""
        waiting = [tensor]
        while id(tensor) not in self._known:
            item = waiting[-1]
            unknown = [source for source in _sources(item) if id(source) not in self._known]
            waiting += unknown
            if not unknown:
                self._known[id(item)] = self._find(waiting.pop())
        return self._known[id(tensor)]

    def _find(self, tensor: Tensor) -> Bounds:
        if is_initializer(tensor):
            return _extremes(np.asarray(tensor.values))
        node = _maker(tensor)
        if node is None:
            return ANY
        if node.op == "Constant":
            return _extremes(constant_value(self._graph, tensor))
        if node.op in _FIXED:
            return _FIXED[node.op]
        if node.op in _COPIES or (node.op == "Cast" and node.attrs["to"] in _FLOATING):
            return self.of(node.inputs[0])
        if node.op == "Cast":
            return self._whole(node)
        if node.op == "TopK" and tensor is node.outputs[0]:
            return self.of(node.inputs[0])
        if node.op in ("ArgMax", "ArgMin", "TopK"):
            return _places(node)
        if node.op == "Mod":
            return self._rest(node)
        return self._computed(node)

    def _computed(self, node: Node) -> Bounds:
        if node.op in ("Concat", "Max", "Min", "Where"):
            parts = [self.of(item) for item in node.inputs[node.op == "Where" :]]
            return _JOINS.get(node.op, _union)(parts)
        if node.op == "Clip":
            return self._clip(node)
        if node.op == "Relu":
            return _limited(self.of(node.inputs[0]), 0.0, np.inf)
        if node.op in _ARITHMETIC:
            return _corners(_ARITHMETIC[node.op], *(self.of(item) for item in node.inputs))
        return ANY

    def _whole(self, node: Node) -> Bounds:
        """A cast of integers to integers that hold them all keeps them; others may cut off or overflow."""
        kind, made = node.inputs[0].dtype, helper.tensor_dtype_to_np_dtype(node.attrs["to"])
        if kind is None or np.dtype(kind).kind not in "iu" or made.kind not in "iu":
            return ANY
        found, limits = self.of(node.inputs[0]), np.iinfo(made)
        return found if limits.min <= found.low and found.high <= limits.max else ANY

    def _rest(self, node: Node) -> Bounds:
        """A rest of a division by a positive whole number has the sign of that."""
        divisor = constant_value(self._graph, node.inputs[1])
        if divisor is None or divisor.dtype.kind not in "iu" or node.attrs.get("fmod", 0):
            return ANY
        return Bounds(0.0, float(divisor.max()) - 1) if divisor.min(initial=1) > 0 else ANY

    def _clip(self, node: Node) -> Bounds:
        limits = [-np.inf, np.inf]
        for index, item in enumerate(node.inputs[1:3]):
            value = None if item.is_empty() else constant_value(self._graph, item)
            limits[index] = limits[index] if value is None else float(value.reshape(-1)[0])
        return _limited(self.of(node.inputs[0]), *limits)


_FIXED = {
    "Sigmoid": Bounds(0.0, 1.0),
    "Softmax": Bounds(0.0, 1.0),
    "HardSigmoid": Bounds(0.0, 1.0),
    "Exp": Bounds(0.0, np.inf),
    "Sqrt": Bounds(0.0, np.inf),
    "Abs": Bounds(0.0, np.inf),
}

_FLOATING = (1, 10, 11)
"""``TensorProto`` FLOAT, FLOAT16, DOUBLE: a cast to an integer may leave the bounds by less than 1."""

_COPIES = {
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Identity",
    "ReduceMax",
    "ReduceMin",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
}
"""Every element of the output is one of the first input."""


def _maker(tensor: Tensor) -> Node | None:
    """The operator of ONNX that writes a tensor."""
    node = tensor.inputs[0] if tensor.inputs else None
    return node if node is not None and node.domain in (None, "", "ai.onnx") else None


def _places(node: Node) -> Bounds:
    """Of indices along an axis."""
    axis = node.attrs.get("axis", -1 if node.op == "TopK" else 0)
    shape = node.inputs[0].shape
    size = shape[axis] if shape and -len(shape) <= axis < len(shape) else None
    return Bounds(0.0, size - 1.0) if isinstance(size, int) and size > 0 else ANY


def _sources(tensor: Tensor) -> list[Tensor]:
    node = _maker(tensor)
    return list(node.inputs) if node is not None and node.op in _FOLLOWED else []


def _extremes(values: NDArray[Any] | None) -> Bounds:
    if values is None or not values.size or values.dtype.kind not in "fiub":
        return ANY
    return Bounds(float(values.min()), float(values.max()))


def _limited(item: Bounds, low: float, high: float) -> Bounds:
    """What ``min(max(x, low), high)`` leaves of an interval, as Clip computes it."""
    return Bounds(min(max(item.low, low), high), min(max(item.high, low), high))


def _union(parts: list[Bounds]) -> Bounds:
    found = parts[0]
    for part in parts[1:]:
        found = found.join(part)
    return found


_JOINS: dict[str, Callable[[list[Bounds]], Bounds]] = {
    "Max": lambda parts: Bounds(max(item.low for item in parts), max(item.high for item in parts)),
    "Min": lambda parts: Bounds(min(item.low for item in parts), min(item.high for item in parts)),
}

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
}


_FOLLOWED = {*_COPIES, "Cast", "Clip", "Concat", "Max", "Min", "Relu", "TopK", "Where", *_ARITHMETIC}
"""Operators whose bounds follow from those of their inputs."""


def _corners(operation: Callable[[Any, Any], Any], a: Bounds, b: Bounds) -> Bounds:
    """Interval arithmetic on the ends; unbounded where an end is not a number or a divisor may be 0."""
    if operation is np.divide and b.low <= 0 <= b.high:
        return ANY
    with np.errstate(all="ignore"):
        ends = [operation(np.float64(x), np.float64(y)) for x in (a.low, a.high) for y in (b.low, b.high)]
    return ANY if np.isnan(ends).any() else Bounds(float(min(ends)), float(max(ends)))
