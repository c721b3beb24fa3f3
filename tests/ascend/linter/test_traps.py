"""The traps of the parser that rules about the typed graph cover, through the examination: alone, and as errors."""

from __future__ import annotations

import pytest
from onnx import AttributeProto, helper

from tests.ascend.linter.cases import ADD, NMS, RELU, ROI, Edit, attribute, rename, write
from tests.ascend.linter.graphs import lint, named


def nothing_imported(model: object) -> None:
    del model.opset_import[:]  # type: ignore[attr-defined]


def in_domain(domain: str) -> Edit:
    def edit(model: object) -> None:
        model.graph.node[0].domain = domain  # type: ignore[attr-defined]
        model.opset_import.append(helper.make_opsetid(domain, 1))  # type: ignore[attr-defined]

    return edit


def no_type_field(model: object) -> None:
    item = AttributeProto(name="finest_scale", i=28)
    model.graph.node[0].attribute.append(item)  # type: ignore[attr-defined]


def twice(model: object) -> None:
    model.graph.initializer.append(model.graph.initializer[0])  # type: ignore[attr-defined]


def one_input(model: object) -> None:
    del model.graph.node[0].input[1:]  # type: ignore[attr-defined]
    del model.graph.input[1:]  # type: ignore[attr-defined]


def as_is(model: object) -> None:
    pass


TWO = "(float[2] x) => (float[2] y) { y = Relu (x) z = Abs (x) }"
INT_THRESHOLD = NMS.replace("iou_threshold = 0.5", "iou_threshold = 1")
SIXTH = ROI.replace("float[2,5] r)", "float[2,5] r, float[2,5] k)").replace("g, r)", "g, r, k)")

TRAPS: dict[str, tuple[str, Edit, str, int]] = {
    "no opset_import": (RELU, nothing_imported, "domain-import", 11),
    "an opset after the plugins' last": (ROI, as_is, "op-unknown", 17),
    "mmdeploy's domain": (ROI, in_domain("mmdeploy"), "op-unknown", 11),
    "an operator that the parser has not": (RELU.replace("Relu", "Loop"), as_is, "op-unknown", 11),
    "a node called as a graph input": (RELU, rename(0, "x"), "node-name", 11),
    "a node called as an initializer's node": (ADD, rename(0, "w_Initializer_0"), "node-name", 11),
    "two nodes that write one tensor": (TWO, write(1, 0, "y"), "tensor-twice", 11),
    "two initializers of one name": (ADD, twice, "initializer-twice", 11),
    "an INTS where a FLOATS is read": (ROI.replace("[0.25, 0.125]", "[1, 2]"), as_is, "attr-type", 11),
    "a FLOAT where an INT is read": (ROI, attribute(0, helper.make_attribute("pooled_height", 7.0)), "attr-type", 11),
    "an attribute without its type field": (ROI, no_type_field, "attr-type", 11),
    "a pool_mode that is not checked": (ROI, attribute(0, helper.make_attribute("pool_mode", "max")), "attr-in", 11),
    "a further input, which shifts the rois": (SIXTH, as_is, "vendor-limit", 11),
    "an NMS without scores": (NMS, one_input, "input-required", 11),
    "an NMS without max_total_size": (NMS.replace(",\n  max_total_size = 5", ""), as_is, "attr-required", 11),
    "an NMS whose threshold is an INT": (INT_THRESHOLD, as_is, "attr-required", 11),
    "boxes and scores that differ in number": (NMS.replace("[1,9,3]", "[1,8,3]"), as_is, "vendor-limit", 11),
    "Clip without a bound": (RELU.replace("Relu", "Clip"), as_is, "any-input-present", 11),
    "a size of 0": (RELU.replace("[2]", "[0]"), as_is, "shape-empty", 11),
    "an output that is not static": (
        "(float[9] x) => (int64[1,n] y) { y = NonZero (x) }",
        as_is,
        "shape-dynamic",
        11,
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_an_error_that_names_it(trap: str) -> None:
    text, edit, rule, opset = TRAPS[trap]
    model = named(text, opset=opset).proto
    edit(model)

    found = lint(model)

    assert {item.rule for item in found if item.severity == "error"} == {rule}, [str(item) for item in found]
