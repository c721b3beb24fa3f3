"""Ranges hold the values that onnxruntime computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from convertkit_passes.int64 import interval
from convertkit_passes.int64.interval import HIGHEST, INT32, Interval, union
from convertkit_passes.int64.ranges import Ranges
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel, detach
from convertkit.passes.testing.drawn import Case, cases
from tests.graphtext import parse
from tests.passes.outputs import outputs

INT64 = Interval(-(2**63), 2**63 - 1)
small = st.integers(-20, 20)
ranges = st.tuples(small, small).map(lambda pair: Interval(min(pair), max(pair)))


def truncated(dividend: int, divisor: int) -> int:
    return int(dividend / divisor)


@given(ranges, ranges, st.data())
def test_arithmetic_on_ranges_holds_arithmetic_on_values(
    left: Interval, right: Interval, data: st.DataObject
) -> None:
    a, b = data.draw(st.integers(left.low, left.high)), data.draw(st.integers(right.low, right.high))

    results = {
        interval.add(left, right): a + b,
        interval.negate(left): -a,
        interval.multiply(left, right): a * b,
        union([left, right]): b,
        interval.times(left, 3): a + left.low,
        interval.times(right, 1): b,
    }
    if b:
        results |= {interval.divide(left, right): truncated(a, b), interval.modulo(left, right): a % b}

    for bounds, value in results.items():
        assert bounds.low <= value <= bounds.high


def with_inner_outputs(model: LightModel) -> LightModel:
    """The model with every tensor as an output."""
    proto = type(model.proto)()
    proto.CopyFrom(model.proto)
    given_names = {value.name for value in proto.graph.output}
    for node in proto.graph.node:
        for name in node.output:
            if name not in given_names:
                proto.graph.output.append(helper.make_empty_tensor_value_info(name))
    return detach(proto)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_every_integer_of_a_random_graph_is_in_its_range(case: Case) -> None:
    graph = open_graph(case.model)
    known = Ranges(graph)
    tensors = graph.surgeon.tensors()

    for name, value in outputs(with_inner_outputs(case.model), case.feeds).items():
        if value.dtype.kind == "i" and value.size:
            bounds = known.of(tensors[name])
            assert bounds.low <= value.min(), name
            assert value.max() <= bounds.high, name


def range_of(text: str, name: str, **options: Any) -> Interval:
    graph = open_graph(parse(text, **options))
    return Ranges(graph).of(graph.surgeon.tensors()[name])


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("y = Shape (x)", Interval(3, 50)),
        ("y = Size (x)", Interval(600, 600)),
        ("y = ArgMax <axis = 1> (x)", Interval(0, 49)),
        ("v, y = TopK (x, one)", Interval(0, 49)),
        ("y = NonZero (x)", Interval(0, 49)),
        ("s = Shape (x) y = Gather (s, one)", Interval(4, 4)),
        ("s = Shape (x) y = Slice (s, one, two)", Interval(4, 4)),
        ("s = NonZero (x) t = Transpose (s) y = Gather <axis = 1> (t, one)", Interval(0, 3)),
        ("s = NonZero (x) y, z, w = Split <split = [1, 1, 1]> (s)", Interval(0, 2)),
        ("s = Shape (x) y = Add (s, one)", Interval(4, 51)),
        ("y = Identity (n)", INT32),
        ("y = Cast <to = 7> (x)", INT64),
        ("b = Cast <to = 9> (x) y = Cast <to = 7> (b)", Interval(0, 1)),
        ("k = Cast <to = 1> (m) f = Sigmoid (k) y = Cast <to = 7> (f)", Interval(0, 1)),
        ("k = Cast <to = 1> (m) f = Clip (k, low, high) g = Floor (f) y = Cast <to = 7> (g)", Interval(0, 1)),
        ("f = Sigmoid (x) y = Cast <to = 7> (f)", INT64),  # of a NaN
        ("f = Clip (x, low, high) g = Floor (f) y = Cast <to = 7> (g)", INT64),
        ("f = Clip (x, low, high) g = Where (m, f, high) y = Cast <to = 7> (g)", INT64),
        ("k = Cast <to = 1> (m) f = Mod <fmod = 1> (k, high) y = Cast <to = 7> (f)", Interval(0, 1)),
        ("k = Cast <to = 1> (m) f = Mod <fmod = 1> (high, k) y = Cast <to = 7> (f)", INT64),
        ("i = Cast <to = 6> (n) f = Cast <to = 1> (i) y = Cast <to = 7> (f)", Interval(-(2**31), 2**31)),
        ("i = Cast <to = 3> (n) y = Cast <to = 7> (i)", Interval(-128, 127)),
        ("i = Cast <to = 12> (n) y = Cast <to = 7> (i)", Interval(0, 2**32 - 1)),
        ("y = Where (m, n, none)", Interval(-(2**31), 2**63 - 1)),
        ("y = Max (n, none)", Interval(2**63 - 1, 2**63 - 1)),
        ("w = Where (m, n, none) y = Min (w, five)", Interval(-(2**31), 5)),
        ("p = Constant <value_ints = [0, 1]> () y = Pad (n, p, none)", Interval(-(2**31), 2**63 - 1)),
        ("y = ScatterElements (n, one, big)", Interval(-(2**31), 2**40)),
        ("y = Concat <axis = 0> (n, big)", Interval(-(2**31), 2**40)),
        ("y = Mul (n, big)", INT64),
        ("y = ReduceMin (n)", INT32),
        ("y = ReduceMin (open)", INT64),
        ("y = ReduceSumSquare (n)", INT64),
        ("y = ReduceProd (n)", INT64),
        ("y = Neg (n)", Interval(-(2**31) + 1, 2**31)),
        ("y = Div (n, minus)", Interval(-(2**31), 2**31)),
        ("r = Shape (x) y = ReduceSum (r)", Interval(3, 150)),
        ("y = ConstantOfShape <value = int64[1] {7}> (two)", Interval(7, 7)),
        ("y = Constant <value_ints = [4, 9]> ()", Interval(4, 9)),
        ("y = Range (zero, two, one)", Interval(0, 2)),
    ],
)
def test_what_the_graph_states_is_used(node: str, expected: Interval) -> None:
    text = f"""(float[3,4,50] x, int64[5] n, int64[N] open, bool[5] m) => (int64[K] y)
    <int64[1] one = {{1}}, int64[1] two = {{2}}, int64 zero = {{0}}, int64 five = {{5}}, int64 minus = {{-1}},
     int64 none = {{9223372036854775807}}, int64[1] big = {{1099511627776}}, float low = {{-2.5}}, float high = {{7}},
     int64[3] r> {{ {node} }}"""

    found = range_of(text, "y", opset=12)

    assert (found.low, found.high) == (expected.low, expected.high)


def test_the_remainder_of_floats_comes_as_near_to_the_divisor_as_it_likes() -> None:
    text = """(bool[1] m) => (float[1] y) <float half = {0.75}, float one = {1}>
    { k = Cast <to = 1> (m) h = Mul (k, half) y = Mod <fmod = 1> (h, one) }"""

    assert range_of(text, "y", opset=13).high >= 0.75


def test_a_nan_among_the_numbers_of_a_node_tells_nothing() -> None:
    model = parse("(float[2] x) => (int64[2] y) { f = Identity (x) y = Cast <to = 7> (f) }", opset=13)
    values = helper.make_node("Constant", [], ["f"], value_floats=[5.0, float("nan")])
    model.proto.graph.node[0].CopyFrom(values)
    graph = open_graph(model)
    graph.surgeon.tensors()["f"].dtype = np.dtype(np.float32)

    assert Ranges(graph).of(graph.surgeon.tensors()["f"]) == interval.ANY


def test_a_position_in_float16_is_one_that_float16_holds() -> None:
    assert interval.stored(interval.index(np.dtype(np.float16)), np.dtype(np.float16)).fits


def test_an_unknown_dimension_is_a_size_and_no_more() -> None:
    found = range_of("(float[N,4] x) => (int64[2] y) { y = Shape (x) }", "y")

    assert found == Interval(0, HIGHEST)


def test_a_mean_sums_before_it_divides() -> None:
    text = """(float[9,70000] x) => (int64 y) <int64 scale = {60000}, int64[9] row>
    { row = ArgMax <axis = 1, keepdims = 0> (x) y = ReduceMean <keepdims = 0> (row) }"""
    graph = open_graph(parse(text, opset=12))
    known, mean = Ranges(graph), graph.surgeon.tensors()["y"]

    assert known.of(mean) == Interval(0, 69999)
    assert known.peak(mean) == Interval(0, 9 * 69999)


def test_an_assumption_is_said_and_does_not_grow() -> None:
    text = "(int64[2] n) => (int64[2] y) <int64 one = {1}> { y = Add (n, one) }"

    assert range_of(text, "n") == Interval(-(2**31), HIGHEST, frozenset(["n"]))
    assert range_of(text, "y") == Interval(-(2**31) + 1, HIGHEST + 1, frozenset(["n"]))
    assert np.iinfo(np.int32).max == HIGHEST


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), 2**31, -(2**31) - 1])
def test_the_limits_are_those_of_int32(value: int) -> None:
    found = range_of(f"(float[1] x) => (int64 y) <int64 k = {{{value}}}> {{ y = Identity (k) }}", "y")

    assert (found.low, found.high) == (value, value)
    assert found.fits == (np.iinfo(np.int32).min <= value <= np.iinfo(np.int32).max)
