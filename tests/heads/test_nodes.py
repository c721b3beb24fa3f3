"""Where heads are, and what their schemas take."""

from __future__ import annotations

import onnx
import pytest

from convertkit.api import heads
from convertkit.graph.graph import open_graph
from tests import graphtext

AMONG_OTHERS = """(float[1,6,1,4] boxes, float[1,6,3] scores, float[1,6,3] more)
    => (float[1,5,4] b, float[1,5] s, float[1,5] c, int32[1] n, float[1,6,3] other) {
    other = Add(scores, more)
    third = Relu(boxes)
    b, s, c, n = convertkit.heads.MulticlassNms<score_threshold=0.1, iou_threshold=0.5, max_size_per_class=4,
        max_total_size=5>(boxes, scores)
}"""


def test_sized_gives_every_nms_and_nothing_else():
    graph = open_graph(graphtext.parse(AMONG_OTHERS, domains=[heads.HEADS]))
    with heads.annotated(graph):
        (found,) = list(heads.sized(graph))

    assert (found.batch, found.count, found.shared, found.classes) == (1, 6, 1, 3)
    assert (found.boxes.name, found.scores.name) == ("boxes", "scores")


def test_a_node_without_a_name_is_named_after_its_output():
    graph = open_graph(graphtext.parse("(float[3] x) => (float[3] y) { y = Relu(x) }"))
    (node,) = graph.nodes

    node.name = ""
    assert heads.name_of(node) == "y"
    node.name = "relu"
    assert heads.name_of(node) == "relu"


@pytest.mark.parametrize(("told", "kind"), [({}, "Finding"), ({"unsized": True}, "OpenSize")])
def test_a_refusal_is_for_an_open_size_only_where_it_says_so(told, kind):
    finding = heads.Refused("it differs", **told).finding("node")

    assert (type(finding).__name__, finding.status, finding.why) == (kind, "refused", "it differs")


@pytest.mark.parametrize(("kind", "fits"), [("int32", True), ("int64", False)])
def test_numbers_of_boxes_are_int32(kind, fits):
    heads.DOMAIN.register_schemas()
    model = graphtext.parse(
        f"""(float[1,6,1,4] boxes, float[1,6,3] scores, float[1,4] window, {kind}[1] used) => (float[1,5,4] b) {{
        b, s, c, n = convertkit.heads.MulticlassNms<score_threshold=0.1, iou_threshold=0.5, max_size_per_class=4,
            max_total_size=5>(boxes, scores, window, used)
    }}""",
        domains=[heads.HEADS],
    )

    if fits:
        onnx.shape_inference.infer_shapes(model.proto, strict_mode=True)
        return
    with pytest.raises(onnx.shape_inference.InferenceError, match="int32"):
        onnx.shape_inference.infer_shapes(model.proto, strict_mode=True)


@pytest.mark.parametrize(("levels", "fits"), [(0, False), (1, True), (3, True)])
def test_a_roi_head_has_one_level_at_least(levels, fits):
    heads.DOMAIN.register_schemas()
    names = [f"f{index}" for index in range(levels)]
    values = [onnx.helper.make_tensor_value_info(name, 1, [1, 2, 8, 8]) for name in names]
    rois = onnx.helper.make_tensor_value_info("rois", 1, [4, 5])
    node = onnx.helper.make_node(
        "MultilevelRoiAlign", [*names, "rois"], ["y"], domain=heads.HEADS, finest_scale=8,
        spatial_scale=[0.25] * max(levels, 1), output_height=2, output_width=2,
    )  # fmt: skip
    made = onnx.helper.make_graph(
        [node], "graph", [*values, rois], [onnx.helper.make_tensor_value_info("y", 1, [4, 2, 2, 2])]
    )
    imports = [onnx.helper.make_opsetid("", 11), onnx.helper.make_opsetid(heads.HEADS, heads.VERSION)]
    model = onnx.helper.make_model(made, opset_imports=imports, ir_version=8)

    if fits:
        onnx.checker.check_model(model)
        return
    with pytest.raises(onnx.checker.ValidationError, match="input size 1 not in range"):
        onnx.checker.check_model(model)
