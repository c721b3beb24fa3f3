"""What is said of the tensors of a graph."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from convertkit.precision.ranges import Gauge, Ranges, TensorRange, ranges_key
from tests.graphtext import parse

GRAPH = """
(float[1, 4] x) => (float[1, 4] y)
<float[1] up = {1000}, float[1] down = {0.001}, float[1] tiny = {0.00000001}>
{
  big = Mul(x, up)
  small = Mul(x, tiny)
  back = Mul(big, down)
  y = Add(back, small)
}
"""


def measured(text: str, *feeds: list[float]) -> Ranges:
    model = parse(text)
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"node{place}"
    gauge = Gauge(model, {"node0": "pass planted"})
    for values in feeds:
        gauge.feed({"x": np.array([values], np.float32)})
    return gauge.ranges(len(feeds))


def named(found: Ranges) -> dict[str, TensorRange]:
    return {one.name: one for one in found.tensors}


def test_every_tensor_over_all_photos() -> None:
    found = measured(GRAPH, [1, 2, 3, 0], [-100, 2, 3, 4])

    tensors = named(found)
    assert found.photos == 2 and found.unknown == found.inside == 0
    assert set(tensors) == {"x", "big", "small", "back", "y", "up", "down", "tiny"}
    big = tensors["big"]
    assert (big.node, big.op, big.origin, big.kind) == ("node0", "Mul", "pass planted", "result")
    assert (big.largest, big.values, big.overflow) == (100_000, 8, 1 / 8)
    assert tensors["small"].underflow == 3 / 8  # 1e-8 and 2e-8, twice, are zero; 3e-8 is not
    assert tensors["tiny"].kind == "weight" and tensors["tiny"].underflow == 1
    assert tensors["tiny"].node == "node1" and tensors["x"].node == ""
    assert found.overflowing == (big,)


def test_the_worst_comes_first() -> None:
    found = measured(GRAPH, [1, 2, 3, 100])

    assert [one.name for one in found.tensors[:2]] == ["big", "tiny"]
    severities = [one.severity for one in found.tensors]
    assert severities == sorted(severities, reverse=True)


def test_lost_beside_a_large_value_is_no_loss() -> None:
    kind = TensorRange("t", "", "", "", "result", 1.0, 100, 0.0, 0.9)

    assert kind.severity == 1 / 65504
    assert msgspec.structs.replace(kind, largest=1e-8, underflow=1.0).severity == 1


def test_a_coordinate_says_how_many_pixels_apart_numbers_are() -> None:
    text = """
    (float[1, 4] x) => (int64[N, 3] y)
    <float[1, 1, 1] s = {0.5}, int64[3] form = {1, 1, 4}>
    {
      boxes = Reshape(x, form)
      y = NonMaxSuppression(boxes, s)
    }
    """

    near, far = named(measured(text, [0, 0, 10, 1500])), named(measured(text, [0, 0, 10, 96000]))

    assert near["boxes"].spacing_px == near["x"].spacing_px == 1.0
    assert near["s"].spacing_px is None and not near["s"].coordinates
    assert far["boxes"].coordinates and far["boxes"].spacing_px is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_said_and_travels(value: float) -> None:
    found = measured(GRAPH, [1, 2, 3, value])

    assert named(found)["x"].largest is None and named(found)["x"].overflow == 0.25
    assert msgspec.json.decode(msgspec.json.encode(found), type=Ranges) == found


def test_what_is_not_measured_is_counted() -> None:
    text = """
    (float[1, 4] x, bool c) => (float[1, 4] y)
    {
      y = If(c) <
        then_branch = then () => (float[1, 4] t) { t = Relu(x) },
        else_branch = other () => (float[1, 4] e) { e = Neg(x) }
      >
    }
    """
    gauge = Gauge(parse(text), {})

    assert gauge.ranges(0).inside == 2


def test_tensors_of_other_floating_types_are_counted() -> None:
    text = """
    (float[1] x) => (float[1] y)
    {
      a = Cast<to = 11>(x)
      b = Mul(a, a)
      c = Cast<to = 10>(b)
      y = Cast<to = 1>(c)
    }
    """
    found = Gauge(parse(text), {}).ranges(0)

    assert found.unmeasured == ("3 tensors that the graph itself has in float16 or float64",)


def test_a_constant_written_as_a_number_is_a_weight() -> None:
    text = """
    (float[1] x) => (float[1] y)
    {
      c = Constant<value_float = 1000000.0>()
      y = Mul(x, c)
    }
    """
    gauge = Gauge(parse(text), {})
    gauge.feed({"x": np.zeros(1, np.float32)})

    assert [one.name for one in gauge.ranges(1).overflowing] == ["c"]


def test_the_key_covers_what_it_depends_on() -> None:
    model, other = parse(GRAPH), parse(GRAPH.replace("1000", "999"))
    key = ranges_key(model, {}, ["a"], {"target": "p"})

    assert key == ranges_key(parse(GRAPH), {}, ["a"], {"target": "p"})
    others = [
        ranges_key(other, {}, ["a"], {"target": "p"}),
        ranges_key(model, {"n": "pass"}, ["a"], {"target": "p"}),
        ranges_key(model, {}, ["b"], {"target": "p"}),
        ranges_key(model, {}, ["a"], {"target": "q"}),
    ]
    assert len({key, *others}) == 5
