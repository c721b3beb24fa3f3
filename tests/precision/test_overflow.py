"""What overflows has to stay in fp32, with those that take it."""

from __future__ import annotations

import numpy as np

from convertkit.precision.overflow import needed
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


def test_a_weight_that_overflows_is_kept_by_those_that_take_it() -> None:
    model = parse("(float[4] x) => (float[4] y) <float[1] w = {70000}> { z = Relu(x) y = Min(z, w) }")
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"
    gauge = Gauge(model, {})
    gauge.feed({"x": np.zeros(4, np.float32)})

    assert needed(model, gauge.ranges(1), {}).keep == {"n1": "w"}
