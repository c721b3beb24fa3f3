"""``rename-io``: other names outside, the same graph inside."""

from __future__ import annotations

import pytest
from convertkit_passes.rename_io import RenameIo

from convertkit.errors import PassError, UnknownNameError
from convertkit.graph.validate import validate
from convertkit.passes.options import build, parse_step, step_text
from tests.graphtext import apply, rewritten, show

GRAPH = "(float[2] x, float[2] w) => (float[2] y) { a = Add (x, w) y = Relu (a) }"


def rename(**names: str) -> RenameIo:
    return RenameIo(names=names)


def test_inputs_and_outputs_take_their_new_names() -> None:
    after = "(float[2] image, float[2] w) => (float[2] dets) { a = Add (image, w) dets = Relu (a) }"

    assert rewritten(rename(x="image", y="dets"), GRAPH) == show(after)


def test_names_can_be_swapped() -> None:
    after = "(float[2] w, float[2] x) => (float[2] y) { a = Add (w, x) y = Relu (a) }"

    assert rewritten(rename(x="w", w="x"), GRAPH) == show(after)


def test_an_inner_tensor_makes_room() -> None:
    after = "(float[2] x, float[2] w) => (float[2] a) { a_1 = Add (x, w) a = Relu (a_1) }"

    assert rewritten(rename(y="a"), GRAPH) == show(after)


def test_a_tensor_of_a_subgraph_makes_room() -> None:
    before = """(bool c, float[2] x) => (float[2] y)
    {
        y = If (c) <
            then_branch = then () => (float[2] p) { p = Neg (x) },
            else_branch = other () => (float[2] q) { q = Relu (x) }
        >
    }"""

    result = apply(rename(x="p", y="q"), before)

    validate(result)
    text = show(result)
    assert text.startswith("(bool c, float[2] p) => (float[2] q)")
    assert "p_1 = Neg (p)" in text
    assert "q_1 = Relu (p)" in text


def test_an_unknown_name_points_to_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown graph input or output 'boxs' \(did you mean 'boxes'"
    ):
        apply(rename(boxs="b"), "(float[2] x) => (float[2] boxes) { boxes = Relu (x) }")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"x": "w"}, "'x' and 'w' would both be called 'w'"),
        ({"x": "q", "y": "q"}, "'x' and 'y' would both be called 'q'"),
        ({"x": ""}, "empty name"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(names: dict[str, str], reason: str) -> None:
    with pytest.raises(PassError, match=reason):
        apply(RenameIo(names=names), GRAPH)


def test_the_option_round_trips_through_its_text() -> None:
    step = rename(x="image", y="dets")

    name, options = parse_step(step_text(step))

    assert name == "rename-io"
    assert build(RenameIo, options) == step
