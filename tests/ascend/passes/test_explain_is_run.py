"""What a pass says that it would do is what it does, on graphs that it was not made for, too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from convertkit_ascend.passes.cast_fp16_operators import CastFp16Operators
from convertkit_ascend.passes.center_nms_boxes import CenterNmsBoxes
from convertkit_passes.clip_to_picture import ClipToPicture
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from convertkit_passes.fuse_multilevel_roialign import FuseMultilevelRoialign
from onnx import TensorProto, helper

from convertkit.api import heads
from convertkit.api.passes import Finding, Pass
from convertkit.graph.light import LightModel
from convertkit.graph.validate import validate
from convertkit.passes.explain import findings
from convertkit.passes.history import op_counts
from convertkit.passes.state import GraphState
from tests.graphtext import parse
from tests.passes.heads import nms_forms, roi_forms
from tests.passes.heads.nms_forms import Form, Writer

VENDOR = heads.MULTICLASS_NMS.name


def both(step: Pass, model: LightModel) -> tuple[tuple[Finding, ...], LightModel]:
    """What is said, and the graph that is left."""
    said, state = findings(step, model), GraphState(model)
    state.apply(step)
    return said, state.model


def vendor_nodes(model: LightModel) -> int:
    return sum(node.op_type == VENDOR for node in model.proto.graph.node)


def edited(model: LightModel, edit: Callable[[onnx.ModelProto], object]) -> LightModel:
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    edit(proto)
    return LightModel(proto, model.weights)


def nms(boxes: tuple[object, ...], scores: tuple[object, ...], *limits: object) -> LightModel:
    write = Writer(13)
    write.op("NonMaxSuppression", "boxes", "scores", *limits, out="selected")
    return write.model(
        {"boxes": boxes, "scores": scores},  # type: ignore[dict-item]
        {"selected": (TensorProto.INT64, ("n", 3))},
    )


LIMITS = (np.array([5]), np.float32([0.5]), np.float32([0.25]))


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (
            nms((1, 6, 4), (1, 2, 6), np.zeros(0, np.int64)),
            "max_output_boxes_per_class holds 0 numbers, not one",
        ),
        (nms((1, 6, 4), (1, 2, 6), np.array([5]), np.float32([])), "iou_threshold holds 0 numbers, not one"),
        (nms((1, 6, 4), (6,), *LIMITS), "scores has shape (6,), wanted are three sizes above 0"),
        (nms((6, 4), (1, 2, 6), *LIMITS), "boxes has shape (6, 4), wanted"),
        (nms((1, 0, 4), (1, 2, 0), *LIMITS), "boxes has shape (1, 0, 4), wanted"),
        (nms((1, "m", 4), (1, 2, "m"), *LIMITS), "no tensor of fixed size holds the candidates"),
    ],
)
def test_odd_options_and_ranks_are_refused_and_left(model: LightModel, why: str) -> None:
    said, after = both(FuseMulticlassNms(), model)

    assert [item.status for item in said] == ["refused"]
    assert said[0].why.startswith(why)
    assert op_counts(after) == op_counts(model)


def test_an_opset_at_which_the_operator_cannot_be_run_is_refused() -> None:
    model = nms_forms.mmdet(Form(opset=17))

    said, after = both(FuseMulticlassNms(), model)

    assert [item.why for item in said] == [
        "opset must be 11 to 16, it is 17: convert-opset{to=16} in front of the other passes"
    ]
    assert vendor_nodes(after) == 0


@pytest.mark.parametrize(
    "kind", [TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT32, TensorProto.DOUBLE]
)
def test_classes_of_every_type_of_number_are_written(kind: int) -> None:
    def cast(proto: onnx.ModelProto) -> None:
        proto.graph.node[-1].output[0] = "labels_int64"
        proto.graph.node.append(helper.make_node("Cast", ["labels_int64"], ["labels"], to=kind))
        proto.graph.output[1].type.tensor_type.elem_type = kind

    said, after = both(FuseMulticlassNms(), edited(nms_forms.mmdet(Form()), cast))

    assert [item.status for item in said] == ["matched"]
    assert vendor_nodes(after) == 1


def test_class_offsets_that_copy_the_boxes_are_refused() -> None:
    write = Writer(13)
    moved = write.op("Add", write.clip("boxes"), np.float32([0, 100, 200]).reshape(3, 1, 1))
    rows, scores = write.op("Reshape", moved, [1, 18, 4]), write.op("Reshape", "scores", [1, 1, 18])
    write.op("NonMaxSuppression", rows, scores, *LIMITS, out="selected")
    model = write.model({"boxes": (6, 4), "scores": (3, 6)}, {"selected": (TensorProto.INT64, ("n", 3))})

    said, after = both(FuseMulticlassNms(), model)

    assert "its class offsets of (3, 1, 1) copy the boxes of (6, 4)" in said[0].why
    assert vendor_nodes(after) == 0


@pytest.mark.slow
def test_bounds_are_followed_through_a_chain_longer_than_the_stack() -> None:
    write, boxes = Writer(13), "boxes"
    for _ in range(1500):
        boxes = write.op("Add", boxes, np.float32(0))
    write.op("MaxPool", write.clip(boxes), kernel_shape=[2, 2], out="pooled")
    model = write.model({"boxes": (1, 1, 6, 4)}, {"pooled": (TensorProto.FLOAT, (1, 1, 5, 3))})

    said, after = both(CastFp16Operators(only=("MaxPool",)), model)

    assert [item.why for item in said] == [
        "its kernels are float16 only; values up to 64 are rounded by up to 0.03125"
    ]
    assert op_counts(after)["Cast"] == 2


@pytest.mark.parametrize("change", [None, "Sub"])
def test_of_two_heads_in_a_row_those_are_rewritten_that_are_said_to_match(change: str | None) -> None:
    form, write = Form(), Writer(11)
    first, _ = nms_forms.dummy_nms(write, form, write.clip("boxes"), "scores", None)
    count = len(write.nodes)
    boxes = write.clip(write.op("Slice", first, [0], [4], [2]))
    second, labels = nms_forms.dummy_nms(write, Form(count=4), boxes, "again", None, change)
    for node in write.nodes[count:]:
        for names in (node.input, node.output):
            names[:] = [f"{name}_2" if name in ("selected", "best", "places") else name for name in names]
    write.op("Identity", second, out="dets")
    write.op("Identity", labels, out="labels")
    model = write.model(
        {"boxes": (1, 6, 4), "scores": (1, 6, 3), "again": (1, 4, 3)},
        {"dets": (TensorProto.FLOAT, (1, 4, 5)), "labels": (TensorProto.INT64, (1, 4))},
    )

    said, after = both(FuseMulticlassNms(), model)

    assert [item.status for item in said] == ["matched", "refused" if change else "matched"]
    assert vendor_nodes(after) == (1 if change else 2)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_scale_is_refused(scale: float) -> None:
    def rescale(proto: onnx.ModelProto) -> None:
        for node in proto.graph.node:
            for attribute in node.attribute:
                attribute.f = scale if attribute.name == "spatial_scale" else attribute.f

    model = edited(roi_forms.mask_add(roi_forms.Extraction()), rescale)

    said, after = both(FuseMultilevelRoialign(), model)

    assert (len(said), said[0].status, said[0].why) == (1, "refused", f"spatial_scale is {scale:g}")
    assert op_counts(after) == op_counts(model)


def test_nodes_without_a_name_go_by_that_of_their_output() -> None:
    def forget(proto: onnx.ModelProto) -> None:
        for node in proto.graph.node:
            node.name = ""

    said, _ = both(FuseMultilevelRoialign(), edited(roi_forms.single(roi_forms.Extraction()), forget))

    assert said
    assert all(item.where for item in said)


@pytest.mark.parametrize("outputs", ["nmsed_boxes", "nmsed_boxes, , , num"])
def test_boxes_are_moved_where_nobody_reads_the_scores(outputs: str) -> None:
    model = parse(
        f"""
        (float[1,3,40,60] image, float[1,5,1,4] boxes, float[1,5,3] scores)
            => (float[1,3,40,60] same, float[1,4,4] nmsed_boxes)
        {{
            same = Identity (image)
            {outputs} = convertkit.heads.MulticlassNms <iou_threshold: float = 0.5,
                max_size_per_class: int = 4, max_total_size: int = 4, score_threshold: float = 0.25> (boxes, scores)
        }}
        """,
        domains=[heads.HEADS],
    )

    said, after = both(CenterNmsBoxes(), model)

    validate(after)
    assert [item.status for item in said] == ["matched"]
    assert op_counts(after)["Sign"] == 1


@pytest.mark.parametrize("step", [CenterNmsBoxes(), ClipToPicture()], ids=lambda step: str(step.name))
def test_an_nms_of_open_size_is_refused_by_name(step: Pass) -> None:
    model = parse(
        """
        (float[1,3,40,60] image, float[1,n,1,4] boxes, float[1,n,3] scores)
            => (float[1,3,40,60] same, float[1,4,4] nmsed_boxes)
        {
            same = Identity (image)
            nmsed_boxes, s, c, k = convertkit.heads.MulticlassNms <iou_threshold: float = 0.5,
                max_size_per_class: int = 4, max_total_size: int = 4, score_threshold: float = 0.25> (boxes, scores)
        }
        """,
        domains=[heads.HEADS],
    )

    said, after = both(step, model)

    open_sizes = "axis 1 (n) of boxes is open; axis 1 (n) of scores is open"
    remedy = '--input-shape "boxes:1,N,1,4;scores:1,N,3"'
    assert [item.why for item in said] == [f"boxes has no fixed size; {open_sizes}: {remedy}"]
    assert [item.status for item in said] == ["refused"]
    assert op_counts(after) == op_counts(model)
