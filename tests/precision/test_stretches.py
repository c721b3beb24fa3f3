"""A graph in parts gives what the whole graph gives."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.graph.session import open_session
from convertkit.graph.shapes import inferred
from convertkit.precision.stretches import Stretches
from tests.graphtext import parse

GRAPH = """
(float[2, 4] x, bool c) => (float[N] y)
<float[4] w = {1, 2, 3, 4}>
{
  a = Mul(x, w)
  b = Relu(a)
  k = Constant<value = float[1] {2}>()
  d = If(c) <
    then_branch = then () => (float[2, 4] t) { t = Mul(b, k) },
    else_branch = other () => (float[2, 4] e) { e = Add(b, x) }
  >
  n = NonZero(d)
  m = Cast<to = 1>(n)
  s = ReduceSum<axes = [0], keepdims = 0>(m)
  y = Mul(s, k)
}
"""
ALL = ("x", "a", "b", "d", "m", "s", "y")


def opened(room: int) -> Stretches:
    model = parse(GRAPH)
    graph = inferred(model, strict=False).graph
    types = {value.name: value for value in (*graph.input, *graph.value_info, *graph.output)}
    return Stretches(model, ALL, types, room)


@pytest.mark.parametrize("room", [1, 64, 1 << 20])
@pytest.mark.parametrize("first", [True, False])
def test_every_tensor_is_seen_once(room: int, first: bool) -> None:
    inputs = {"x": np.arange(-3, 5, dtype=np.float32).reshape(2, 4), "c": np.array(first)}
    model = parse(GRAPH)
    whole = parse(
        GRAPH.replace(
            "=> (float[N] y)",
            "=> (float[2, 4] a, float[2, 4] b, float[2, 4] d, float[M, N] m, float[N] s, float[N] y)",
        )
    )

    seen = list(opened(room).run(inputs))

    names = [name for values in seen for name in values]
    assert sorted(names) == sorted(ALL)
    expected = {"x": inputs["x"], **open_session(whole).run(inputs)}
    for values in seen:
        for name, value in values.items():
            np.testing.assert_array_equal(value, expected[name])
    assert model.proto.graph.node[0].op_type == "Mul"


def test_a_part_ends_where_the_room_is_full() -> None:
    assert [len(opened(room).parts) for room in (1, 33, 1 << 20)] == [6, 3, 1]


def test_what_nobody_takes_any_more_goes() -> None:
    parts = opened(1).parts

    assert "a" in parts[1].done and "b" not in parts[1].done
    assert {"b", "x"} <= {name for part in parts for name in part.done}
