"""Equal digests are equal values: what must make two tensors differ, and what need not."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.graph.making import Making
from tests.graphtext import parse

SAMPLE = {"x": np.float32([1, 2])}

BASE = (
    "(float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Add (x, w)  y = Elu<alpha: float = 2.0> (a) }"
)


def digest(text: str, sample: dict[str, np.ndarray] | None = None, *, opset: int = 11) -> bytes | None:
    model = parse(text, opset=opset)
    return Making.of(model).fed(SAMPLE if sample is None else sample).get(model.proto.graph.output[0].name)


@pytest.mark.parametrize(
    "text",
    [
        "(float[2] x) => (float[2] z) <float[2] v = {1, 2}> { b = Add (x, v)  z = Elu<alpha: float = 2.0> (b) }",
        BASE.replace("y = Elu", "i = Identity (a)  y = Elu").replace("(a) }", "(i) }"),
        BASE.replace("<float[2] w = {1, 2}> {", "{ w = Constant<value: tensor = float[2] {1, 2}> ()"),
        BASE.replace("{ a =", "{ unused = Neg (x)  a ="),
    ],
    ids=["other names", "an identity between", "a constant node", "a node beside"],
)
def test_what_is_made_the_same_way_is_the_same(text: str) -> None:
    assert digest(text) == digest(BASE) is not None


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("2.0", "2.5"),
        BASE.replace("{1, 2}", "{1, 3}"),
        BASE.replace("Add (x, w)", "Add (w, x)"),
        BASE.replace("Add (x, w)", "Sub (x, w)"),
        BASE.replace("<float[2] w = {1, 2}>", "<float[1,2] w = {1, 2}>"),
        BASE.replace("float[2] x)", "float16[2] x)"),
    ],
    ids=["an attribute", "a value", "the order", "the operator", "a shape", "the type of an input"],
)
def test_what_is_made_otherwise_differs(text: str) -> None:
    assert digest(text) != digest(BASE)


def test_another_version_of_the_operators_and_other_inputs_differ() -> None:
    assert digest(BASE, opset=13) != digest(BASE)
    assert digest(BASE, {"x": np.float32([1, 3])}) != digest(BASE)
    assert digest(BASE, {"x": np.float64([1, 2])}) != digest(BASE)


def test_outputs_of_one_node_differ() -> None:
    made = Making.of(parse("(float[2] x) => (float[1] y) { y, z = Split (x) }")).fed(SAMPLE)

    assert made["y"] != made["z"]


def test_a_body_counts_with_what_it_takes_from_around_it() -> None:
    text = """(float[2] x, bool c) => (float[2] y) {
        a = Neg (x)
        y = If (c) <then_branch = one () => (float[2] t) { t = Abs (a) },
                    else_branch = two () => (float[2] e) { e = Exp (a) }>
    }"""
    sample = {**SAMPLE, "c": np.array(True)}

    assert digest(text, sample) is not None
    assert digest(text, sample) != digest(text.replace("a = Neg", "a = Sqrt"), sample)
    assert digest(text, sample) != digest(text.replace("Exp", "Log"), sample)


def test_what_hangs_on_an_input_without_a_value_has_no_digest() -> None:
    assert digest(BASE, {}) is None


def test_a_default_holds_until_something_else_is_given() -> None:
    text = "(float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Add (x, w) }"

    assert digest(text) is not None
    assert digest(text) != digest(text, {**SAMPLE, "w": np.float32([3, 4])})


def test_texts_are_values_too() -> None:
    text = "(string[2] x) => (string[2] y) { y = Identity (x) }"
    one, other = ({"x": np.array(value, dtype=object)} for value in (["ab", "c"], ["a", "bc"]))

    assert digest(text, one) == digest(text, {"x": one["x"].copy()}) != digest(text, other)
