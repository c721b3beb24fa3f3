"""What the schemas of heads know of sizes and types, where onnx itself has not looked."""

from __future__ import annotations

from typing import Any

import onnx
import pytest
from onnx import shape_inference

from convertkit.api import heads
from convertkit.graph.domains import index_outputs
from convertkit.heads.operator import Formal, Operator
from convertkit.heads.schema import register
from convertkit.plugins.loading import open_plugins
from tests import graphtext

NMS = "score_threshold=0.1, iou_threshold=0.5, max_size_per_class=4, max_total_size=5"


def inferred(text: str) -> onnx.ModelProto:
    """With onnx's own check of types left out: what inference sees of a graph that nobody checked."""
    heads.DOMAIN.register_schemas()
    return shape_inference.infer_shapes(graphtext.parse(text, domains=[heads.HEADS]).proto, strict_mode=True)


def nms(
    boxes: str = "float[1,6,1,4]", scores: str = "float[1,6,3]", more: str = "", names: str = "boxes, scores"
) -> str:
    return f"""({boxes} boxes, {scores} scores{more}) => (float[u,v,4] b) {{
        b, s, c, n = {heads.HEADS}.MulticlassNms<{NMS}>({names})
    }}"""


def roi(
    first: str = "float[1,8,16,16]", second: str = "float[1,8,8,8]", rois: str = "float[7,5]", many: str = ""
) -> str:
    scales = many or "0.25, 0.125"
    return f"""({first} p, {second} q, {rois} r) => (float[u,v,w,x] y) {{
        y = {heads.HEADS}.MultilevelRoiAlign<finest_scale=56, spatial_scale=[{scales}], output_height=7, output_width=5>
            (p, q, r)
    }}"""


def sizes(model: onnx.ModelProto, name: str) -> list[int | str]:
    (value,) = [item for item in (*model.graph.output, *model.graph.value_info) if item.name == name]
    return [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim]


def kind(model: onnx.ModelProto, name: str) -> int:
    (value,) = [item for item in (*model.graph.output, *model.graph.value_info) if item.name == name]
    return value.type.tensor_type.elem_type


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (nms(boxes="int64[1,6,1,4]", scores="int64[1,6,3]"), "takes float or float16, not element type 7"),
        (nms(scores="float16[1,6,3]"), "its floating inputs have different types"),
        (nms(more=", float16[1,4] w", names="boxes, scores, w"), "its floating inputs have different types"),
        (nms(more=", int64[1] v", names='boxes, scores, "", v'), "input 3 must be int32"),
        (nms(scores="float[2,6,3]"), "the batch of boxes and scores differs: 1, 2"),
        (nms(more=", float[2,4] w", names="boxes, scores, w"), "the batch differs: 1, 2, None"),
        (nms(boxes="float[1,6,2,4]"), "the classes of boxes and scores differs: 2, 3"),
        (nms(boxes="float[1,6,4]"), "input 0 must have rank 4, it has 3"),
        (roi(second="float16[1,8,8,8]"), "its floating inputs have different types"),
        (roi(rois="float16[7,5]"), "its floating inputs have different types"),
        (roi(second="float[1,9,8,8]"), "the channels of the features differs: 8, 9"),
        (roi(rois="float[7,4]"), "the columns of rois differs: 4, 5"),
        (roi(many="0.25"), "1 spatial scales for 2 feature levels"),
    ],
)  # fmt: skip
def test_what_a_head_does_not_take(text: str, why: str) -> None:
    with pytest.raises(shape_inference.InferenceError, match=why):
        inferred(text)


def test_rois_alone_are_refused() -> None:
    text = roi().replace("(p, q, r)", "(r)")

    with pytest.raises(shape_inference.InferenceError, match="needs at least one feature level and rois"):
        inferred(text)


def test_inputs_without_a_type_are_refused() -> None:
    model = graphtext.parse(nms(), domains=[heads.HEADS]).proto
    for value in model.graph.input:
        value.type.tensor_type.elem_type = 0
    heads.DOMAIN.register_schemas()

    with pytest.raises(shape_inference.InferenceError, match="its inputs have no type"):
        shape_inference.infer_shapes(model, strict_mode=True)


@pytest.mark.parametrize(
    ("boxes", "scores", "batch"),
    [
        ("float[1,6,1,4]", "float[1,6,3]", 1),
        ("float[b,6,1,4]", "float[2,6,3]", 2),
        ("float[2,6,1,4]", "float[b,6,3]", 2),
        ("float[b,6,1,4]", "float[d,6,3]", "b"),
        ("float[b,n,1,4]", "float[b,n,3]", "b"),
    ],
)
def test_a_size_is_known_from_any_input_and_else_by_its_name(boxes: str, scores: str, batch: Any) -> None:
    found = inferred(nms(boxes, scores))

    assert sizes(found, "b") == [batch if batch != "b" else "u", 5, 4]
    assert sizes(found, "s") == sizes(found, "c") == [batch, 5]
    assert sizes(found, "n") == [batch]


def test_types_are_those_of_the_floating_inputs_and_counts_are_int32() -> None:
    found = inferred(
        nms("float16[1,6,1,4]", "float16[1,6,3]").replace("(float[u,v,4] b)", "(float16[u,v,4] b)")
    )

    assert [kind(found, name) for name in "bscn"] == [10, 10, 10, 6]


def test_names_of_sizes_go_through_the_extraction() -> None:
    found = inferred(roi("float[1,c,16,16]", "float[1,8,8,8]", "float[k,5]"))

    assert sizes(found, "y") == ["u", 8, 7, 5]


def test_of_the_outputs_classes_and_numbers_are_positions() -> None:
    open_plugins()

    assert index_outputs(heads.HEADS, "MulticlassNms") == (2, 3)
    assert index_outputs(heads.HEADS, "MultilevelRoiAlign") == ()


def test_an_output_like_an_input() -> None:
    one, two, out = (Formal(name, "any rank") for name in ("x", "z", "y"))
    register([Operator("LikeSecond", "", (one, two), (out,), (), lambda node: node.like(1))], "test.like")
    model = graphtext.parse(
        "(float[2,3] x, float[5] z) => (float[u] y) { t = test.like.LikeSecond (x, z) y = Relu (t) }",
        domains=["test.like"],
    )

    found = shape_inference.infer_shapes(model.proto, strict_mode=True)

    assert sizes(found, "t") == [5] and kind(found, "t") == 1
