"""What overflows has to stay in fp32, with those that take it."""

from __future__ import annotations

import numpy as np

from convertkit.precision.overflow import needed, together
from convertkit.precision.ranges import Gauge
from tests.graphtext import parse

GRAPH = """
(float[4] x) => (float[4] y)
<float[1] up = {32768}, float[1] down = {0.000030517578125}>
{
  a = Relu(x)
  b = Mul(a, up)
  c = Neg(b)
  d = Mul(c, down)
  y = Relu(d)
}
"""


def test_makers_and_takers_of_what_overflows_and_nobody_else() -> None:
    model = parse(GRAPH)
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"
    gauge = Gauge(model, {})
    gauge.feed({"x": np.array([1, 2, 3, 0], np.float32)})

    found = needed(model, gauge.ranges(1), {})
    fixed = needed(model, gauge.ranges(1), {"n2": "its kernels are float16 only"})

    assert found.keep == {"n1": "b", "n2": "c", "n3": "c"} and found.impossible == {}
    assert fixed.keep == {"n1": "b", "n3": "c"} and fixed.impossible == {"n2": "its kernels are float16 only"}


def test_a_node_without_a_name_is_named_by_what_it_makes_and_cannot_be_kept() -> None:
    model = parse(GRAPH)
    gauge = Gauge(model, {})
    gauge.feed({"x": np.array([1, 2, 3, 0], np.float32)})

    found = needed(model, gauge.ranges(1), {})

    assert found.keep == {} and found.impossible == dict.fromkeys("bcd", "it has no name")


def test_a_weight_that_overflows_is_kept_by_those_that_take_it() -> None:
    model = parse("(float[4] x) => (float[4] y) <float[1] w = {70000}> { z = Relu(x) y = Min(z, w) }")
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"
    gauge = Gauge(model, {})
    gauge.feed({"x": np.zeros(4, np.float32)})

    assert needed(model, gauge.ranges(1), {}).keep == {"n1": "w"}


def test_who_only_selects_and_leaves_behind_what_overflows_is_not_kept() -> None:
    text = """
    (float[4] x) => (float[2] y, float[2] z)
    <float[4] c = {1, 1, 70000, 70000}, int64[2] low = {0, 1}, int64[2] high = {2, 3}>
    { a = Mul(x, c) y = Gather(a, low) b = Gather(a, high) z = Sqrt(b) }
    """
    model = parse(text)
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"
    gauge = Gauge(model, {})
    gauge.feed({"x": np.ones(4, np.float32)})

    assert needed(model, gauge.ranges(1), {}).keep == {"n0": "a", "n2": "b", "n3": "b"}


def test_nodes_that_hand_tensors_on_are_one_group_and_those_that_read_the_same_are_not() -> None:
    text = """
    (float[4] x, float[4] z) => (float[4] p, float[4] q)
    <float[1] c = {70000}>
    {
      a = Mul(x, c)
      b = Mul(z, c)
      p = Neg(a)
      q = Neg(b)
    }
    """
    model = parse(text)
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"

    assert together(model, ["n0", "n1"]) == (("n0",), ("n1",))
    assert together(model, ["n0", "n1", "n2", "n3"]) == (("n0", "n2"), ("n1", "n3"))
