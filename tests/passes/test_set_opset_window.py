"""``set-opset-window``: one clear line, or nothing at all."""

from __future__ import annotations

import onnx
import pytest
from convertkit_passes.set_opset_window import SetOpsetWindow

from convertkit.errors import PassError, UsageError
from convertkit.graph.light import detach
from tests.graphtext import apply, parse

GRAPH = "(float[2] x) => (float[2] y) { y = Relu (x) }"


@pytest.mark.parametrize("opset", [11, 14, 16])
def test_inside_the_window_nothing_happens(opset: int) -> None:
    model = parse(GRAPH, opset=opset)

    assert apply(SetOpsetWindow(), model) is model


@pytest.mark.parametrize(
    ("opset", "step", "message"),
    [
        (
            10,
            SetOpsetWindow(),
            "the model uses opset 10, which is outside 11 to 16 (convert-opset{to=11} in front of the other passes)",
        ),
        (
            17,
            SetOpsetWindow(),
            "the model uses opset 17, which is outside 11 to 16 (convert-opset{to=16} in front of the other passes)",
        ),
        (
            12,
            SetOpsetWindow(min=13, max=13),
            "the model uses opset 12, which is outside 13 to 13 (convert-opset{to=13} in front of the other passes)",
        ),
    ],
)
def test_outside_it_is_refused_in_one_line(opset: int, step: SetOpsetWindow, message: str) -> None:
    with pytest.raises(PassError) as caught:
        apply(step, parse(GRAPH, opset=opset))

    assert str(caught.value) == message


def test_a_domain_that_is_not_imported_is_refused() -> None:
    model = parse("(float[2] x) => (float[2] y) { y = vendor.Spread (x) }")

    with pytest.raises(PassError, match=r"\(Spread\) is of domain 'vendor', which is not imported"):
        apply(SetOpsetWindow(), model)


def test_an_imported_domain_is_not() -> None:
    model = parse("(float[2] x) => (float[2] y) { y = vendor.Spread (x) }", domains=["vendor"])

    assert apply(SetOpsetWindow(), model) is model


def test_a_model_without_opset_is_refused() -> None:
    model = parse(GRAPH)
    del model.proto.opset_import[:]

    with pytest.raises(PassError, match="does not say which ONNX opset"):
        apply(SetOpsetWindow(), model)


def test_an_empty_window_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="16 to 11 is empty"):
        apply(SetOpsetWindow(min=16, max=11), GRAPH)


def test_the_opset_of_a_function_lies_in_the_window_too() -> None:
    proto = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 14, "own" : 1]>
        graph (float[2] x) => (float[2] y) { y = own.Twice (x) }
        <domain: "own", opset_import: ["" : 18]> Twice (a) => (b) { b = Add (a, a) }"""
    )

    with pytest.raises(PassError, match="function 'Twice' uses opset 18, which is outside 11 to 16"):
        apply(SetOpsetWindow(), detach(proto))
    assert apply(SetOpsetWindow(max=18), detach(proto))


def test_a_domain_that_a_function_does_not_import_is_refused() -> None:
    proto = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 14, "own" : 1, "vendor" : 1]>
        graph (float[2] x) => (float[2] y) { y = own.Twice (x) }
        <domain: "own", opset_import: ["" : 14]> Twice (a) => (b) { b = vendor.Spread (a) }"""
    )

    with pytest.raises(PassError, match="is not imported") as caught:
        apply(SetOpsetWindow(), detach(proto))
    assert caught.value.hint == "add 'vendor' to the opset_import of function 'Twice'"
