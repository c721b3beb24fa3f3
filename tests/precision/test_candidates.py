"""Which nodes are kept together, which are tried together, and in what order."""

from __future__ import annotations

import numpy as np

from convertkit.graph.light import LightModel
from convertkit.precision.candidates import LONGEST, Pattern, patterns
from convertkit.precision.ranges import Gauge
from tests.graphtext import parse


def found(text: str, cannot: tuple[str, ...] = ()) -> tuple[Pattern, ...]:
    model: LightModel = parse(text)
    for place, node in enumerate(model.proto.graph.node):
        node.name = f"n{place}"
    gauge = Gauge(model, {})
    gauge.feed({"x": np.array([[1, 2, 3, 4]], np.float32)})
    return patterns(model, gauge.ranges(1), cannot)


def test_a_sum_that_is_smaller_than_its_terms_comes_first_with_what_it_is_fused_with() -> None:
    text = """
    (float[1,4] x) => (float[1,4] y, float[1,4] z)
    <float[1] c = {3000}, float[4,4] w = {1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1}>
    { a = Exp(x) b = MatMul(a, w) d = Relu(b) e = Concat<axis = 0>(d, d) f = ReduceMax<axes = [0]>(e)
      g = Add(f, c) y = Sub(g, c) z = Neg(a) }
    """

    assert [pattern.pieces for pattern in found(text)] == [
        (("n5", "n6"),),
        (("n4",),),  # a term of the sum
        (("n0",),),
        (("n1", "n2"),),
        (("n7",),),
        (("n3",),),  # only moves values
    ]


def test_an_error_that_is_handed_on_to_something_smaller_counts_beside_that() -> None:
    """Offsets of classes: a large number that comes of integers is scaled and taken off again."""
    text = """
    (float[1,4] x) => (float[1,4] y, float[1,4] z)
    <float k = {3.75}, float[1] c = {3000}, int64[2] s = {1, 4}>
    { w = Abs(x) z = Neg(w) a = Exp(x) n = Cast<to = 7>(x) f = Cast<to = 1>(n) b = Mul(f, c) d = Mul(b, k)
      e = Reshape(d, s) g = Add(e, a) y = Sub(g, e) }
    """

    assert {pattern.nodes for pattern in found(text)[:2]} == {("n2", "n8", "n9"), ("n4", "n5", "n6", "n7")}
    assert found(text)[2:] == (Pattern((("n0", "n1"),)),)


def test_what_cannot_be_kept_or_has_no_floats_is_not_among_them() -> None:
    text = "(float[1,4] x) => (float[1,4] y, int64[2] s) { a = Abs(x) y = Exp(a) s = Shape(a) }"

    assert found(text, ("n1",)) == (Pattern((("n0",),)),)


def test_pieces_of_the_same_operators_are_one_pattern() -> None:
    text = "(float[1,4] x) => (float[1,4] y, float[1,4] z) { a = Exp(x) y = Neg(a) b = Exp(x) z = Neg(b) }"

    assert found(text) == (Pattern((("n0", "n1"), ("n2", "n3"))),)


def test_a_piece_is_no_longer_than_a_kernel() -> None:
    steps = " ".join(f"v{place + 1} = Abs(v{place})" for place in range(1, LONGEST))
    text = f"(float[1,4] x) => (float[1,4] y) {{ v1 = Abs(x) {steps} y = Abs(v{LONGEST}) }}"

    assert sorted(len(piece) for pattern in found(text) for piece in pattern.pieces) == [1, LONGEST]
