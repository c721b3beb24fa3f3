"""What the vendor's open front end was seen doing (ascend-facts: parser-empty-name, parser-takes) and leaves alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.ascend.linter.graphs import lint

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
VALUE = helper.make_tensor_value_info
PICTURE, MAP = VALUE("x", FLOAT, [1, 32, 8, 8]), VALUE("y", FLOAT, [1, 60, 8, 8])
ROW, OUT = VALUE("x", FLOAT, [1, 3]), VALUE("y", FLOAT, [1, 3])
RELU = helper.make_node("Relu", ["x"], ["y"], "relu")
BOXES = [VALUE("b", HALF, [1, 100, 1, 4]), VALUE("s", HALF, [1, 100, 3])]
FILTER = [("w", np.ones((60, 32, 1, 1), np.float32))]


def model(nodes, inputs, outputs, constants=(), opset=11, imports=()) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return helper.make_model(
        graph, opset_imports=[*imports] or [helper.make_opsetid("", opset)], ir_version=6
    )


def nms(name, outputs, more=()):
    sizes = {"max_size_per_class": 50, "max_total_size": 60}
    return helper.make_node(
        "BatchMultiClassNMS",
        ["b", "s", *more],
        outputs,
        name,
        score_threshold=0.05,
        iou_threshold=0.5,
        **sizes,
    )


def roi(channels=32, height=7, width=7, **more) -> onnx.ModelProto:
    values = {
        "finest_scale": 56,
        "spatial_scale": [0.25, 0.125],
        "pooled_height": height,
        "pooled_width": width,
    }
    node = helper.make_node("RoiExtractor", ["f", "g", "r"], ["y"], "roi", **values, **more)
    maps = [VALUE(name, HALF, [1, channels, side, side]) for name, side in (("f", 64), ("g", 32))]
    return model(
        [node], [*maps, VALUE("r", HALF, [10, 5])], [VALUE("y", HALF, [10, channels, height, width])]
    )


def conv(*inputs, op="Conv"):
    return helper.make_node(op, ["x", "w", *inputs], ["y"], "conv", kernel_shape=[1, 1])


def lstm(inputs, outputs):
    return helper.make_node("LSTM", inputs, outputs, "lstm", hidden_size=4)


def branching(inner) -> onnx.ModelProto:
    """An If whose branches are the same nodes, which read x and write t."""
    branch = helper.make_graph(inner, "branch", [], [VALUE("t", FLOAT, [1, 3])])
    node = helper.make_node("If", ["c"], ["y"], "if", then_branch=branch, else_branch=branch)
    return model([node], [ROW, VALUE("c", TensorProto.BOOL, [])], [OUT], opset=13)


SPLIT = helper.make_node("Split", ["x"], ["", "t"], "split", axis=1, split=[1, 2])
CLIP = helper.make_node("Clip", ["x", "", "high"], ["y"], "clip")
HIGH = [("high", np.float32(6))]
UNNAMED = nms("nms", ["o", "", "k", "n"])
DETECTED = [VALUE("o", HALF, [1, 60, 4])]

JOINED = {
    "to an optional input of an operator of its kind": model(
        [nms("nms1", ["o", "p", "", "n"]), nms("it", ["o2", "p2", "k2", "n2"], ["", "v"])],
        [*BOXES, VALUE("v", TensorProto.INT32, [1])],
        [*DETECTED, VALUE("o2", HALF, [1, 60, 4])],
    ),
    "to a bias": model(
        [UNNAMED, helper.make_node("Conv", ["x", "w", ""], ["y"], "it")], [*BOXES, PICTURE], [*DETECTED, MAP], FILTER
    ),
    "to a bound in the middle": model(
        [UNNAMED, helper.make_node("Clip", ["x", "", "high"], ["y"], "it")], [*BOXES, ROW], [*DETECTED, OUT], HIGH
    ),
    "to the region of a Resize": model(
        [UNNAMED, helper.make_node("Resize", ["x", "", "scales"], ["y"], "it", mode="nearest", nearest_mode="floor")],
        [*BOXES, PICTURE],
        [*DETECTED, VALUE("y", FLOAT, [1, 32, 16, 16])],
        [("scales", np.array([1, 1, 2, 2], np.float32))],
    ),
    "to an operator that was written before": model(
        [helper.make_node("Clip", ["x", "", "high"], ["y"], "it"), UNNAMED], [*BOXES, ROW], [*DETECTED, OUT], HIGH
    ),
    "to the same operator": model(
        [helper.make_node("LSTM", ["x", "w", "r", "", "", "h"], ["", "y"], "it", hidden_size=4)],
        [VALUE("x", FLOAT, [2, 1, 3])],
        [VALUE("y", FLOAT, [1, 1, 4])],
        [(name, np.ones(shape, np.float32)) for name, shape in
         (("w", (1, 16, 3)), ("r", (1, 16, 4)), ("h", (1, 1, 4)))],
    ),
    "inside a branch": branching([SPLIT, helper.make_node("Clip", ["x", "", "t"], ["t2"], "it")]),
}  # fmt: skip


@pytest.mark.parametrize("made", JOINED.values(), ids=JOINED)
def test_an_unnamed_output_is_joined_to_every_input_left_out(made: onnx.ModelProto) -> None:
    found = lint(made)

    joined = [item for item in found if item.rule == "name-empty"]
    assert [(item.node, item.severity) for item in joined] == [("it", "error")]
    assert "the parser joins it to the unnamed output" in joined[0].why
    assert "input-left-out" not in {item.rule for item in found}


COUNTED = {
    "Conv": (conv(""), [PICTURE], [MAP], FILTER, 11),
    "ConvTranspose": (conv("", op="ConvTranspose"), [PICTURE], [VALUE("y", FLOAT, [1, 32, 8, 8])],
                      [("w", np.ones((32, 32, 1, 1), np.float32))], 11),
    "Gemm": (helper.make_node("Gemm", ["x", "w", ""], ["y"], "it"), [ROW], [OUT], [("w", np.eye(3, dtype="f4"))], 11),
    "ReduceSum": (helper.make_node("ReduceSum", ["x", ""], ["y"], "it"), [ROW], [VALUE("y", FLOAT, [1, 1])], (), 13),
    "Split": (helper.make_node("Split", ["x", ""], ["y"], "it", axis=0), [ROW], [OUT], (), 13),
}  # fmt: skip


@pytest.mark.parametrize("op", COUNTED)
def test_an_input_that_the_plugin_counts_is_not_left_out_by_an_empty_name(op: str) -> None:
    node, inputs, outputs, constants, opset = COUNTED[op]

    found = lint(model([node], inputs, outputs, constants, opset))

    assert {item.rule for item in found if item.severity == "error"} == {"input-left-out"}, [*map(str, found)]


RESIZE = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
TWICE = [VALUE("y", FLOAT, [1, 32, 16, 16])]
TAKEN = {
    "an input that is an output": model([RELU], [ROW], [OUT, VALUE("x", FLOAT, [1, 3])]),
    "an input that is the only output": model([], [ROW], [VALUE("x", FLOAT, [1, 3])]),
    "an initializer that is an output": model(
        [helper.make_node("Add", ["x", "w"], ["y"], "add")], [ROW], [OUT, VALUE("w", FLOAT, [3])],
        [("w", np.ones(3, np.float32))],
    ),
    "one output twice": model([RELU], [ROW], [OUT, OUT]),
    "a tensor in the middle as output": model(
        [RELU, helper.make_node("Abs", ["y"], ["z"], "abs")], [ROW], [OUT, VALUE("z", FLOAT, [1, 3])]
    ),
    "a node's domain spelt out": model(
        [helper.make_node("Relu", ["x"], ["y"], "relu", domain="ai.onnx")], [ROW], [OUT]
    ),
    "the import spelt out": model([RELU], [ROW], [OUT], imports=[helper.make_opsetid("ai.onnx", 11)]),
    "Resize at 11 without a region": model(
        [helper.make_node("Resize", ["x", "", "scales"], ["y"], "it", **RESIZE)], [PICTURE], TWICE,
        [("scales", np.array([1, 1, 2, 2], np.float32))],
    ),
    "Resize at 11 with sizes only": model(
        [helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], "it", **RESIZE)], [PICTURE], TWICE,
        [("sizes", np.array([1, 32, 16, 16], np.int64))],
    ),
    "sizes computed from a static shape, nothing folded": model(
        [
            helper.make_node("Shape", ["x"], ["shape"], "shape"),
            helper.make_node("Slice", ["shape", "zero", "two"], ["first"], "first"),
            helper.make_node("Concat", ["first", "sides"], ["sizes"], "sizes", axis=0),
            helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], "it", **RESIZE),
        ],
        [PICTURE], TWICE,
        [("zero", np.array([0])), ("two", np.array([2])), ("sides", np.array([16, 16]))], opset=13,
    ),
    "Clip without its first bound": model([CLIP], [ROW], [OUT], HIGH),
    "a trailing bound left out": model([helper.make_node("Clip", ["x", "high", ""], ["y"], "it")], [ROW], [OUT], HIGH),
    "Slice without axes": model(
        [helper.make_node("Slice", ["x", "a", "b", "", "s"], ["y"], "it")], [ROW], [OUT],
        [("a", np.array([0, 0])), ("b", np.array([1, 3])), ("s", np.array([1, 1]))],
    ),
    "unnamed outputs where nothing is left out": model([UNNAMED], BOXES, DETECTED),
    "opset 10, which the manual does not have": model([RELU], [ROW], [OUT], opset=10),
    "If": branching([helper.make_node("Relu", ["x"], ["t"], "relu")]),
    "an attribute that a patch writes as INT": roi(roi_scale_factor=0),
}  # fmt: skip


@pytest.mark.parametrize("made", TAKEN.values(), ids=TAKEN)
def test_what_the_parser_takes_is_no_error(made: onnx.ModelProto) -> None:
    assert [str(item) for item in lint(made) if item.severity == "error"] == []


def test_a_remark_about_an_attribute_hides_nothing_else() -> None:
    """The INT that the ModelZoo patch writes is skipped, the default stays, and the types behind are known."""
    plain, patched = roi(256, 28, 28), roi(256, 28, 28, roi_scale_factor=0)
    for made in (plain, patched):
        made.graph.node.append(helper.make_node("Cast", ["y"], ["labels"], "cast", to=TensorProto.INT64))
        made.graph.output.append(VALUE("labels", TensorProto.INT64, [10, 256, 28, 28]))

    more = [str(item) for item in lint(patched) if item not in lint(plain)]

    assert {"vendor-note", "output-int64", "cast-pair"} <= {item.rule for item in lint(plain)}
    assert ["roi_scale_factor must be FLOAT" in text and text.startswith("warning") for text in more] == [
        True
    ]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [("iou_threshold", 1, "attr-required"), ("score_threshold", -1.0, "vendor-limit")],
)
def test_a_wrong_threshold_hides_nothing_behind(name: str, value: float, rule: str) -> None:
    node = nms("nms", ["o", "p", "k", "n"])
    place = next(place for place, item in enumerate(node.attribute) if item.name == name)
    node.attribute[place].CopyFrom(helper.make_attribute(name, value))
    cast = helper.make_node("Cast", ["k"], ["labels"], "cast", to=TensorProto.INT64)

    found = lint(model([node, cast], BOXES, [*DETECTED, VALUE("labels", TensorProto.INT64, [1, 60])]))

    assert {item.rule for item in found if item.severity == "error"} == {rule}
    assert {"output-int64", "cast-pair"} <= {item.rule for item in found}


def test_operators_in_branches_are_looked_at() -> None:
    found = lint(branching([helper.make_node("QuantizeLinear", ["x", "x"], ["t"], "inside")]))

    assert ("inside", "op-unknown", "error") in {(item.node, item.rule, item.severity) for item in found}


def test_an_unnamed_output_that_a_plugin_counts_is_one() -> None:
    node = helper.make_node("MaxPool", ["x"], ["y", ""], "pool", kernel_shape=[1, 1])

    found = lint(model([node], [PICTURE], [VALUE("y", FLOAT, [1, 32, 8, 8])]))

    assert ("pool", "max-outputs") in {(item.node, item.rule) for item in found}


@pytest.mark.parametrize(
    ("size", "rule", "severity"),
    [
        ((32, 7, 14), "vendor-limit", "error"),
        ((32, 14, 7), "vendor-limit", "error"),
        ((256, 28, 28), "vendor-note", "warning"),
    ],
)
def test_bins_that_the_kernel_cannot_make(size: tuple[int, int, int], rule: str, severity: str) -> None:
    told = [item for item in lint(roi(*size)) if "pooled_height" in item.why or "unified buffer" in item.why]

    assert [(item.rule, item.severity) for item in told] == [(rule, severity)]
    assert not [
        item
        for item in lint(roi(32, 14, 14))
        if "pooled_height" in item.why or "unified" in item.why or item.severity == "error"
    ]


@pytest.mark.slow
def test_the_graphs_that_onnx_brings_are_all_examined() -> None:
    """Other people's files: operators that the parser has not, yes; a graph that contradicts itself, none."""
    files = sorted(Path(onnx.__file__).parent.rglob("*.onnx"))
    assert len(files) > 100

    found = {file.parent.name: lint(file) for file in files}

    rules = {item.rule for violations in found.values() for item in violations}
    assert "op-unknown" in rules
    assert not rules & {"valid-graph", "name-empty", "input-left-out", "input-dangling", "input-required"}
