"""What random graphs are made of: steps in which sizes, positions and other integers mix with floats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

MODULUS = 50
"""Integers are kept below this, so that products of a few of them fit into int32."""

Sized = tuple[str, tuple[int, ...]]
"""A tensor's name and shape."""


@dataclass
class Builder:
    """A graph under construction; every tensor has a static shape.

    Attributes:
        ints, floats: (name, shape) of the tensors so far.
        sums: of floats, which may overflow: nothing is made of them.
    """

    opset: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    ints: list[Sized] = field(default_factory=list)
    floats: list[Sized] = field(default_factory=list)
    sums: list[Sized] = field(default_factory=list)
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def constant(self, values: Any, dtype: Any = np.int64) -> str:
        name = self.name()
        self.initializers.append(onnx.numpy_helper.from_array(np.array(values, dtype=dtype), name))
        return name

    def op(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        names = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=f"node{self.count}", **attributes))
        return names[-1]

    def axes(self, op: str, value: str, axes: list[int], **attributes: Any) -> str:
        """An operator whose axes became an input with opset 13."""
        if self.opset < 13:
            return self.op(op, value, axes=axes, **attributes)
        return self.op(op, value, self.constant(axes), **attributes)

    def total(self, value: str) -> str:
        """The sum of a vector, as a vector of one."""
        return self.axes("ReduceSum", value, [0], keepdims=1)

    def flat(self, value: Sized) -> tuple[str, int]:
        """A tensor as a vector, and its length."""
        name, shape = value
        return self.op("Reshape", name, self.constant([-1])), int(np.prod(shape))


Step = Callable[[Builder, int, int, int], None]


def _bounded(graph: Builder, value: str) -> str:
    return graph.op("Mod", value, graph.constant(MODULUS))


def _arithmetic(graph: Builder, a: int, b: int, c: int) -> None:
    (left, n), (right, m) = graph.flat(_pick(graph.ints, a)), graph.flat(_pick(graph.ints, b))
    first = graph.op("Slice", left, graph.constant([0]), graph.constant([min(n, m)]))
    second = graph.op("Slice", right, graph.constant([0]), graph.constant([min(n, m)]))
    result = graph.op(("Add", "Sub", "Mul")[c % 3], first, second)
    graph.ints.append((_bounded(graph, result), (min(n, m),)))


def with_constant(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.ints, a)
    result = graph.op(("Add", "Sub", "Mul", "Div")[c % 4], name, graph.constant(b % 7 + 1))
    graph.ints.append((_bounded(graph, result), shape))


def _gather_float(graph: Builder, a: int, b: int, c: int) -> None:
    data, length = graph.flat(_pick(graph.floats, a))
    name, shape = _pick(graph.ints, b)
    graph.floats.append(
        (graph.op("Gather", data, graph.op("Mod", name, graph.constant(length)), axis=0), shape)
    )


def _gather_int(graph: Builder, a: int, b: int, c: int) -> None:
    data, length = graph.flat(_pick(graph.ints, a))
    picked = [b % length, c % length]
    graph.ints.append((graph.op("Gather", data, graph.constant(picked), axis=0), (2,)))


def _shape(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.floats if b % 2 else graph.ints, a)
    if shape:
        graph.ints.append((graph.op("Shape", name), (len(shape),)))


def _reshape_by_shape(graph: Builder, a: int, b: int, c: int) -> None:
    """A Reshape whose target is computed: fixed to int64 at its end."""
    name, shape = _pick(graph.floats, a)
    size = graph.op("Shape", name)
    total = graph.op("ReduceProd", size, keepdims=1)
    shaped = graph.op("Reshape", name, graph.op("Concat", total, graph.constant([1]), axis=0))
    graph.floats.append((shaped, (int(np.prod(shape)), 1)))
    graph.ints.append((_bounded(graph, total), (1,)))


def _topk(graph: Builder, a: int, b: int, c: int) -> None:
    data, length = graph.flat(_pick(graph.floats, a))
    k = b % length + 1
    graph.ints.append((graph.op("TopK", data, graph.constant([k]), outputs=2), (k,)))


def _argmax(graph: Builder, a: int, b: int, c: int) -> None:
    data, _ = graph.flat(_pick(graph.floats, a))
    graph.ints.append((graph.op(("ArgMax", "ArgMin")[c % 2], data, axis=0, keepdims=1), (1,)))


def _nonzero(graph: Builder, a: int, b: int, c: int) -> None:
    """The first positions at which something holds, padded to a fixed number."""
    data, _ = graph.flat(_pick(graph.floats, a))
    found = graph.op("NonZero", graph.op("Greater", data, graph.constant(0, np.float32)))
    padded = graph.op(
        "Concat", graph.op("Reshape", found, graph.constant([-1])), graph.constant([0, 0, 0]), axis=0
    )
    graph.ints.append((graph.op("Slice", padded, graph.constant([0]), graph.constant([3])), (3,)))
    picked = graph.op("GatherND", data, graph.op("Transpose", found, perm=[1, 0]))
    graph.sums.append((graph.total(picked), (1,)))


def _where(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.ints, a)
    same = graph.op("Equal", name, graph.constant(b % 5))
    graph.ints.append((graph.op("Where", same, name, graph.constant(c % 9)), shape))


def _tail(graph: Builder, a: int, b: int, c: int) -> None:
    """A Slice to the end, as exporters write it."""
    data, length = graph.flat(_pick(graph.ints, a))
    start = b % length
    ends = graph.constant([2**63 - 1])
    graph.ints.append(
        (graph.op("Slice", data, graph.constant([start]), ends, graph.constant([0])), (length - start,))
    )


def _to_float(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.ints, a)
    graph.floats.append((graph.op("Cast", name, to=TensorProto.FLOAT), shape))


def _to_int(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.floats, a)
    small = graph.op("Clip", name, graph.constant(-9, np.float32), graph.constant(9, np.float32))
    graph.ints.append((graph.op("Cast", small, to=TensorProto.INT64), shape))


def _through_int32(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.ints, a)
    narrow = graph.op("Cast", name, to=TensorProto.INT32)
    graph.ints.append((graph.op("Cast", narrow, to=TensorProto.INT64), shape))


def _filled(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.floats, a)
    value = helper.make_tensor("value", TensorProto.INT64, [1], [c % 11])
    graph.ints.append((graph.op("ConstantOfShape", graph.op("Shape", name), value=value), shape))


def _expand(graph: Builder, a: int, b: int, c: int) -> None:
    name, shape = _pick(graph.floats, b)
    data, _ = graph.flat(_pick(graph.ints, a))
    first = graph.op("Slice", data, graph.constant([0]), graph.constant([1]))
    graph.ints.append((graph.op("Expand", first, graph.op("Shape", name)), shape or (1,)))


def _scatter(graph: Builder, a: int, b: int, c: int) -> None:
    data, length = graph.flat(_pick(graph.floats, a))
    index = graph.op("Mod", graph.flat(_pick(graph.ints, b))[0], graph.constant(length))
    one = graph.op("Slice", index, graph.constant([0]), graph.constant([1]))
    update = graph.constant([c % 5], np.float32)
    graph.floats.append((graph.op("ScatterElements", data, one, update, axis=0), (length,)))


def _reduce(graph: Builder, a: int, b: int, c: int) -> None:
    name, length = graph.flat(_pick(graph.ints, a))
    if c % 2:
        graph.ints.append((_bounded(graph, graph.total(name)), (1,)))
    else:
        graph.ints.append((_bounded(graph, graph.op("CumSum", name, graph.constant(0))), (length,)))


def _constant(graph: Builder, a: int, b: int, c: int) -> None:
    graph.ints.append((graph.constant([a % 9, b % 9]), (2,)))
    graph.floats.append((graph.constant([[a % 9, c % 9]], np.float32), (1, 2)))


def _pick(pool: list[Sized], position: int) -> Sized:
    return pool[position % len(pool)]


STEPS: tuple[Step, ...] = (
    _arithmetic,
    with_constant,
    _gather_float,
    _gather_int,
    _shape,
    _reshape_by_shape,
    _topk,
    _argmax,
    _nonzero,
    _where,
    _tail,
    _to_float,
    _to_int,
    _through_int32,
    _filled,
    _expand,
    _scatter,
    _reduce,
    _constant,
)
