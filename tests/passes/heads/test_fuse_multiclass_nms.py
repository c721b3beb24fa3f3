"""``fuse-multiclass-nms``: what it replaces, what it leaves alone, and that both graphs find the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import Finding
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from tests.graphtext import apply, rewritten, show, text
from tests.passes.heads import nms_forms
from tests.passes.heads.nms_forms import Form, Writer

heads.DOMAIN.register_schemas()


def explain(model: LightModel, **options: Any) -> tuple[Finding, ...]:
    return FuseMulticlassNms(**options).explain(open_graph(model))


def refusal(model: LightModel, **options: Any) -> Finding:
    """The one finding; also that the pass leaves the graph alone."""
    (finding,) = explain(model, **options)
    assert finding.status == "refused"
    assert apply(FuseMulticlassNms(**options), model) is model
    return finding


def nms(model: LightModel, *, ties: str = "box") -> dict[str, float]:
    """The attributes of the one MulticlassNms beside its switches, when no NonMaxSuppression is left."""
    (node,) = (item for item in model.proto.graph.node if item.domain == heads.HEADS)
    assert not any(item.op_type == "NonMaxSuppression" for item in model.proto.graph.node)
    found = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    assert (found.pop("ties"), found.pop("drop_empty")) == (ties.encode(), 0)
    return found


def compare(before: LightModel, after: LightModel, seed: int, reach: float) -> int:
    """Runs both on random boxes; the used slots, which must be equal, are counted.

    ``reach``: the largest coordinate on the way, where class offsets are added and taken off again in float32, and the
    fused graph does not do the same; 0 where it does.
    """
    inputs = nms_forms.random_inputs(before, seed)
    old = open_session(before, optimize=False).run(inputs)
    new = open_session(heads.lower(after), optimize=False).run(inputs)
    scores = old["dets"][..., 4]
    used = scores > 0
    np.testing.assert_allclose(new["dets"][used], old["dets"][used], rtol=0, atol=reach * 2.0**-23)
    np.testing.assert_array_equal(new["labels"][used], old["labels"][used])
    assert not new["dets"][~used].any()
    assert [item.dtype for item in new.values()] == [item.dtype for item in old.values()]
    return int(used.sum())


def test_shared_boxes_become_one_node() -> None:
    after = apply(FuseMulticlassNms(), nms_forms.mmdet(Form()))

    assert show(after) == text(
        """
        (float[1,6,4] boxes, float[1,6,3] scores) => (float[1,4,5] dets, int64[1,4] labels)
        <float c0 = {0.0}, float c1 = {64.0}, int64[4] shape = {1, 6, 1, 4}, int64[3] shape_1 = {1, 4, 1}>
        {
            t0 = Clip (boxes, c0, c1)
            Reshape_output = Reshape (t0, shape)
            nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms """
        """<drop_empty = 0, iou_threshold = 0.5, max_size_per_class = 4, max_total_size = 4, """
        """score_threshold = 0.25, ties = "box"> """
        """(Reshape_output, scores)
            Reshape_1_output = Reshape (nmsed_scores, shape_1)
            labels = Cast <to = 7> (nmsed_classes)
            dets = Concat <axis = 2> (nmsed_boxes, Reshape_1_output)
        }
        """
    )


@pytest.mark.parametrize("layout", ["minor", "major"])
def test_boxes_per_class_are_read_where_they_lie_as_the_operator_wants(layout: str) -> None:
    after = apply(FuseMulticlassNms(), nms_forms.mmdet(Form(layout)))

    lines = show(after).splitlines()
    assert lines[3:6] == [
        "    t0 = Clip (boxes, c0, c1)",
        "    Add_output = Add (t0, class_offsets)",
        "    Sub_output = Sub (Add_output, class_offsets)",
    ]
    assert lines[6].endswith("(Sub_output, scores)")
    assert not any("Transpose" in line for line in lines)


def test_boxes_expanded_for_all_classes_stay_shared() -> None:
    (finding,) = explain(nms_forms.mmdet(Form("one", count=5, classes=2)))

    assert finding.why.startswith("boxes (1, 5, 1, 4) and scores (1, 5, 2)")


@st.composite
def forms(draw: st.DrawFn) -> Form:
    layout = draw(st.sampled_from(["shared", "minor", "major", "one"]))
    count, classes = draw(st.integers(2, 30)), draw(st.integers(1 if layout == "shared" else 2, 6))
    total = draw(st.integers(1, count * classes))
    return Form(
        layout=layout,
        count=count,
        classes=classes,
        batch=draw(st.integers(1, 3)),
        limit=draw(st.integers(1 if layout == "shared" else total, 40 + total)),
        total=total,
        iou=draw(st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])),
        score=draw(st.sampled_from([0.0, 0.05, 0.5, 0.95])),
        offset=nms_forms.SIZE + draw(st.integers(0, 3)) / 2,
        opset=draw(st.integers(11, 16)),
    )


def recovered(form: Form, seed: int) -> None:
    before = nms_forms.mmdet(form)

    after = apply(FuseMulticlassNms(), before)

    assert nms(after, ties="class" if form.layout == "major" else "box") == {
        "iou_threshold": pytest.approx(form.iou),
        "score_threshold": pytest.approx(form.score),
        "max_size_per_class": min(form.limit, form.total),
        "max_total_size": form.total,
    }
    assert any(item.op_type == "Sub" for item in after.proto.graph.node) == form.rounds
    compare(before, after, seed, 0 if form.rounds else form.offset * (form.classes + 1))


@pytest.mark.slow
@settings(max_examples=10, deadline=None, database=None, derandomize=True)
@given(form=forms(), seed=st.integers(0, 1000))
@example(form=Form("minor", count=100, classes=80, limit=100, total=100, iou=0.5, score=0.05), seed=0)
@example(form=Form("shared", count=30, classes=4, limit=2, total=20, iou=0.3, score=0.0), seed=1)
def test_every_form_is_recovered(form: Form, seed: int) -> None:
    recovered(form, seed)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(form=forms(), seed=st.integers(0, 1000))
def test_every_form_is_recovered_at_length(form: Form, seed: int) -> None:
    recovered(form, seed)


def test_the_comparison_sees_detections() -> None:
    before = nms_forms.mmdet(Form("minor", count=40, total=30, limit=30))

    assert compare(before, apply(FuseMulticlassNms(), before), seed=3, reach=256) > 10


@pytest.mark.parametrize("opset", [11, 13, 16])
def test_torchvision_with_fixed_slots(opset: int) -> None:
    form = Form(count=20, classes=4, total=10, score=0.06, opset=opset)
    before = nms_forms.torchvision(form, slots=True)

    after = apply(FuseMulticlassNms(), before)

    assert nms(after)["score_threshold"] == float(np.float32(0.06))  # of the filter: the node has none
    inputs = nms_forms.random_inputs(before, 0)
    inputs["scores"] *= 5
    old = open_session(before).run(inputs)
    new = open_session(heads.lower(after)).run(inputs)
    used = old["scores_out"] > 0
    assert used.sum() > 5
    np.testing.assert_allclose(new["scores_out"], old["scores_out"], rtol=1e-6)
    np.testing.assert_allclose(new["boxes_out"], old["boxes_out"], atol=1e-4)
    np.testing.assert_array_equal(new["labels_out"][used], old["labels_out"][used])


def test_a_filter_that_drops_small_boxes_is_written_as_nodes() -> None:
    before = nms_forms.torchvision(Form(count=20, classes=4, total=10, score=0.06), slots=True)
    after = apply(FuseMulticlassNms(), before)
    inputs = nms_forms.random_inputs(before, 0)
    inputs["scores"] *= 5
    old, new = (open_session(heads.lower(item), optimize=False) for item in (before, after))
    counts = []
    for width in (0.0, 0.0099, 0.0101):  # the filter's is 0.01
        inputs["boxes"][:10, :, 0], inputs["boxes"][:10, :, 2] = 0, width
        one, other = old.run(inputs), new.run(inputs)
        np.testing.assert_allclose(other["boxes_out"], one["boxes_out"], atol=1e-4)
        np.testing.assert_array_equal(other["scores_out"], one["scores_out"])
        counts.append(int((one["boxes_out"][:, 2] == np.float32(width)).sum() if width else 0))

    assert counts[:2] == [0, 0]
    assert counts[2] > 0


def test_of_equal_scores_that_of_the_first_list_comes_first() -> None:
    before = nms_forms.mmdet(Form("major", count=12, total=8, limit=40, iou=1.0))
    after = apply(FuseMulticlassNms(), before)
    inputs = nms_forms.random_inputs(before, 0)
    inputs["scores"][:] = 0.5
    old, new = (open_session(heads.lower(item), optimize=False).run(inputs) for item in (before, after))

    assert nms(after, ties="class")["max_total_size"] == 8
    np.testing.assert_array_equal(new["dets"], old["dets"])
    np.testing.assert_array_equal(new["labels"], old["labels"])


def test_symbolic_length_becomes_slots_only_when_asked() -> None:
    before = nms_forms.torchvision(Form(count=20, classes=4, total=10), slots=False)

    finding = refusal(before)
    after = apply(FuseMulticlassNms(pad_detections=True), before)

    assert finding.tensor == "boxes_out"
    assert "pad_detections=true gives it 10" in finding.why
    assert [
        [dim.dim_value for dim in item.type.tensor_type.shape.dim] for item in after.proto.graph.output
    ] == [[10, 4], [10], [10]]


@pytest.mark.parametrize(
    "form", [Form(count=30, total=8), Form(count=6, total=100, limit=2), Form(batch=2, count=9)]
)
def test_a_padded_row_and_the_best_rows(form: Form) -> None:
    before = nms_forms.padded_row(form)

    after = apply(FuseMulticlassNms(pad_detections=True), before)

    assert nms(after)["max_total_size"] == min(form.total, form.batch * form.classes * form.limit + 1)
    inputs = nms_forms.random_inputs(before, 2)
    old = open_session(before, optimize=False).run(inputs)
    new = open_session(heads.lower(after), optimize=False).run(inputs)
    rows = old["dets"].shape[1]
    used = old["dets"][..., 4] > 0
    assert used.sum() > 3
    np.testing.assert_array_equal(new["dets"][:, :rows], old["dets"])
    np.testing.assert_array_equal(new["labels"][:, :rows][used], old["labels"][used])
    assert not new["dets"][:, rows:].any()


@pytest.mark.parametrize("total", [5, 100])
def test_class_score_and_box_in_a_row_with_their_number(total: int) -> None:
    before = nms_forms.class_score_box(Form(count=12, total=total))

    after = apply(FuseMulticlassNms(pad_detections=True), before)

    inputs = nms_forms.random_inputs(before, 2)
    old = open_session(before, optimize=False).run(inputs)
    new = open_session(heads.lower(after), optimize=False).run(inputs)
    rows = len(old["found"])
    assert rows > 3
    np.testing.assert_array_equal(new["count"], old["count"])
    np.testing.assert_array_equal(new["found"][:rows], old["found"])
    assert not new["found"][rows:].any()


def test_refused_where_the_length_of_padded_detections_is_told_in_another_way() -> None:
    before = nms_forms.class_score_box(Form(count=12), count=False)
    before.proto.graph.node.append(onnx.helper.make_node("Shape", ["found"], ["shape"], name="last"))
    before.proto.graph.output.append(onnx.helper.make_tensor_value_info("shape", TensorProto.INT64, (2,)))

    finding = refusal(before, pad_detections=True)

    assert finding.tensor == "shape"
    assert "shape depends on how many rows" in finding.why
    assert finding.why.endswith("which are 4 once padded")


def best_class(form: Form, *, clip: bool = True, **options: Any) -> None:
    before = nms_forms.best_class(form, clip=clip)

    after = apply(FuseMulticlassNms(pad_detections=True, **options), before)

    assert nms(after)["max_total_size"] == form.limit
    inputs = nms_forms.random_inputs(before, 2)
    old = open_session(before, optimize=False).run(inputs)["found"]
    new = open_session(heads.lower(after), optimize=False).run(inputs)["found"]
    assert len(old) > 3
    np.testing.assert_array_equal(new[: len(old)], old)
    assert not new[len(old) :].any()


def test_boxes_of_their_best_class_moved_apart() -> None:
    best_class(Form(count=24, limit=12))


def test_outputs_say_how_long_they_are_when_padded() -> None:
    before = nms_forms.best_class(Form(count=24, limit=12))
    assert before.proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "k"

    after = apply(FuseMulticlassNms(pad_detections=True), before)

    dims = after.proto.graph.output[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [12, 7]


def test_boxes_that_nothing_bounds_need_a_stated_range() -> None:
    finding = refusal(nms_forms.best_class(Form(count=24), clip=False), pad_detections=True)

    assert "box_range=[LOW, HIGH] states" in finding.why
    best_class(Form(count=24, limit=12), clip=False, box_range=(0, nms_forms.SIZE))


@pytest.mark.parametrize("options", [{}, {"box_range": (0.0, 1.0)}])
def test_refused_where_labels_move_boxes_less_than_their_range(options: Any) -> None:
    before = nms_forms.best_class(Form(count=24, offset=nms_forms.SIZE - 0.5))

    assert "its classes are 63.5 apart, less than the boxes' range 0 to 64" in refusal(before, **options).why


def test_refused_where_a_stated_range_is_wider_than_the_offsets() -> None:
    before = nms_forms.best_class(Form(count=24), clip=False)

    assert "less than the boxes' range -1 to 64" in refusal(before, box_range=(-1.0, 64.0)).why


def test_classes_of_different_sizes_are_labels_of_boxes() -> None:
    before = nms_forms.levels((5, 3, 1), total=6)

    after = apply(FuseMulticlassNms(pad_detections=True), before)

    assert nms(after)["max_total_size"] == 6
    inputs = nms_forms.random_inputs(before, 2)
    old = open_session(before, optimize=False).run(inputs)["found"]
    new = open_session(heads.lower(after), optimize=False).run(inputs)["found"]
    assert len(old) > 3
    np.testing.assert_array_equal(new[: len(old)], old)


def test_refused_where_the_index_of_a_box_is_given() -> None:
    finding = refusal(nms_forms.class_score_box(Form(count=12), index=True), pad_detections=True)

    assert finding.tensor == "index"


def head(form: Form, **changes: str) -> tuple[Writer, str, str, str]:
    """A writer with boxes, scores and detections of the shared form."""
    write = Writer(form.opset)
    boxes = write.clip("boxes")
    dets, labels = nms_forms.dummy_nms(write, form, boxes, "scores", None, **changes)
    return write, boxes, dets, labels


def finish(write: Writer, form: Form, **outputs: tuple[int, tuple[object, ...]]) -> LightModel:
    dets = (TensorProto.FLOAT, (form.batch, form.total, 5))
    return write.model({"boxes": form.boxes_shape, "scores": form.scores_shape}, {"dets": dets, **outputs})


def test_refused_where_indices_are_needed_too() -> None:
    form = Form()
    write, _, dets, _ = head(form)
    write.op("Identity", dets, out="dets")
    write.op("Identity", "places", out="picked")

    finding = refusal(finish(write, form, picked=(TensorProto.INT64, (1, form.total))))

    assert finding.tensor == "picked"
    assert finding.why == "picked still needs the selection: it is none of the operator's outputs"


def test_refused_where_scores_change_before_the_best_are_taken() -> None:
    form = Form()
    write, _, dets, _ = head(form, change="Mul")
    write.op("Identity", dets, out="dets")

    assert refusal(finish(write, form)).tensor == "dets"


def test_accepted_where_scores_change_afterwards() -> None:
    form = Form()
    write, _, dets, _ = head(form)
    columns, best = write.op("Slice", dets, [0], [4], [2]), write.op("Slice", dets, [4], [5], [2])
    write.op("Concat", columns, write.op("Mul", best, best), axis=2, out="dets")

    after = apply(FuseMulticlassNms(), finish(write, form))

    assert nms(after)["max_total_size"] == form.total
    assert any(item.op_type == "Mul" for item in after.proto.graph.node)


def test_a_function_of_detections_is_not_taken_for_detections() -> None:
    form = Form()
    write, _, dets, _ = head(form)
    large = write.op("Greater", write.op("ReduceMax", dets, axes=[2], keepdims=1), np.float32(0.5))
    write.op("Mul", dets, write.op("Cast", large, to=1), out="dets")  # true for every box that is tried

    after = apply(FuseMulticlassNms(), finish(write, form))

    assert after.proto.graph.node[-1].op_type == "Mul"


def test_refused_where_class_offsets_are_too_small() -> None:
    finding = refusal(nms_forms.mmdet(Form("minor", offset=nms_forms.SIZE - 1)))

    assert finding.why == (
        "its classes are 63 apart, less than the boxes' range 0 to 64, so they suppress each other"
    )


def test_refused_where_nothing_bounds_the_boxes() -> None:
    form = Form("minor")
    before = nms_forms.mmdet(form)
    clip = before.proto.graph.node[0]
    clip.op_type = "Identity"
    del clip.input[1:]

    assert "nothing bounds the boxes" in refusal(before).why


def edited(form: Form, **values: float | None) -> LightModel:
    """The graph with other options of NonMaxSuppression; None makes an option a graph input."""
    model = nms_forms.mmdet(form)
    (node,) = (item for item in model.proto.graph.node if item.op_type == "NonMaxSuppression")
    for key, value in values.items():
        index = ["limit", "iou", "score"].index(key) + 2
        if value is None:
            node.input[index] = "option"
            kind = TensorProto.INT64 if key == "limit" else TensorProto.FLOAT
            model.proto.graph.input.append(onnx.helper.make_tensor_value_info("option", kind, (1,)))
        else:
            node.attribute.append(onnx.helper.make_attribute(key, value))
    return model


@pytest.mark.parametrize(
    ("key", "name"),
    [("limit", "max_output_boxes_per_class"), ("iou", "iou_threshold"), ("score", "score_threshold")],
)
def test_refused_where_an_option_is_not_constant(key: str, name: str) -> None:
    finding = refusal(edited(Form(), **{key: None}))

    assert (finding.why, finding.tensor) == (f"{name} is not constant", "option")


@pytest.mark.parametrize("batch", [1, 2])
def test_centres_become_corners(batch: int) -> None:
    before = nms_forms.centred(Form(count=40, batch=batch, total=30, limit=30))

    after = apply(FuseMulticlassNms(), before)

    assert nms(after)["max_total_size"] == 30
    assert compare(before, after, seed=3, reach=2 * nms_forms.SIZE) > 10


def test_refused_where_centres_themselves_are_given() -> None:
    before = nms_forms.mmdet(Form())
    (node,) = (item for item in before.proto.graph.node if item.op_type == "NonMaxSuppression")
    node.attribute.append(onnx.helper.make_attribute("center_point_box", 1))

    assert refusal(before).tensor == "dets"


def test_refused_with_more_slots_than_the_operator_has() -> None:
    finding = refusal(nms_forms.mmdet(Form(count=600, classes=2, total=1001, limit=600)))

    assert finding.tensor == "dets"
    assert "the best 1000 or fewer" in finding.why


def test_a_limit_above_1000_does_not_matter() -> None:
    after = apply(FuseMulticlassNms(), nms_forms.mmdet(Form(limit=5000)))

    assert nms(after)["max_size_per_class"] == 4


def test_refused_where_fewer_are_kept_of_all_classes_together_than_there_are_slots() -> None:
    finding = refusal(nms_forms.mmdet(Form("minor", limit=3, total=4)))

    assert "3 boxes of all classes together" in finding.why


def test_refused_where_the_best_of_a_part_are_taken() -> None:
    form = Form(count=10, total=4)
    before = nms_forms.mmdet(form)
    (best,) = (item for item in before.proto.graph.node if item.op_type == "TopK")
    half = onnx.numpy_helper.from_array(np.array([15]), "half")
    start, axis = (
        onnx.numpy_helper.from_array(np.array([value]), name) for name, value in (("start", 0), ("axis", 1))
    )
    before.proto.graph.initializer.extend([half, start, axis])
    position = list(before.proto.graph.node).index(best)
    cut = onnx.helper.make_node("Slice", [best.input[0], "start", "half", "axis"], ["part"], name="cut")
    best.input[0] = "part"
    before.proto.graph.node.insert(position, cut)

    assert refusal(before).tensor == "dets"


def test_refused_where_detections_lack_a_number() -> None:
    form = Form()
    write, _, _, _ = head(form)
    write.op("Identity", "selected", out="dets")
    model = write.model(
        {"boxes": form.boxes_shape, "scores": form.scores_shape}, {"dets": (TensorProto.INT64, ("found", 3))}
    )

    assert "none of the operator's outputs" in refusal(model).why


def test_refused_where_scores_may_be_negative_and_count() -> None:
    before = nms_forms.mmdet(Form(score=-1.0))

    assert "scores may be negative" in refusal(before).why


def test_a_graph_without_nms_has_no_findings() -> None:
    model = "(float[2] x) => (float[2] y) { y = Relu (x) }"

    assert rewritten(FuseMulticlassNms(), model) == show(model)


BEST = Form(count=40, limit=12, total=12, offset=7680.0)


@pytest.mark.parametrize("options", [{}, {"extra": 4}, {"agnostic": True}, {"agnostic": True, "extra": 4}])
def test_the_best_boxes_of_their_best_class_and_what_is_read_at_their_places(options: dict[str, Any]) -> None:
    before = nms_forms.best_first(BEST, before=30, **options)

    after = apply(FuseMulticlassNms(pad_detections=True), before)

    assert nms(after)["max_total_size"] == 12
    inputs = nms_forms.random_inputs(before, 2)
    old = open_session(before, optimize=False).run(inputs)["found"]
    new = open_session(heads.lower(after), optimize=False).run(inputs)["found"]
    assert (old[0, :, 4] > 0).sum() > 3
    np.testing.assert_array_equal(new, old)
