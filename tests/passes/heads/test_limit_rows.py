"""``limit-proposals`` and ``limit-detections``: fewer rows of an NMS, and everything behind that has as many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from convertkit_passes.heads.rows.layout import Rows
from convertkit_passes.limit_detections import LimitDetections
from convertkit_passes.limit_proposals import LimitProposals
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import Finding, LightModel, PassError, UsageError
from convertkit.graph.graph import open_graph
from convertkit.graph.validate import validate
from tests.graphtext import apply, as_exported, parse, show, text

heads.DOMAIN.register_schemas()

NMS = """convertkit.heads.MulticlassNms <iou_threshold: float = 0.5, max_size_per_class: int = TOTAL,
    max_total_size: int = TOTAL, score_threshold: float = 0.0>"""

TWO_STAGES = f"""
    (float[B,9,1,4] anchors, float[B,9,1] objectness, float[B,2,8,8] map)
        => (float[B,6,3] scores, float[B,2,4] dets, float[B,2] dets_scores, float[P,4] rows)
    <int64[2] flat = {{-1, 4}}, int64[P] images = {{IMAGES}}, float[18,3] weights = {{WEIGHTS}},
     int64[3] shape = {{B, 6, -1}}, int64[4] wide = {{B, 6, 1, 4}}, int64[4] tall = {{B, 6, 3, 4}},
     float[6,1] bias = {{0, 1, 2, 3, 4, 5}}, int64[P] first = {{FIRST}}, int64[1] one = {{-1}}>
    {{
        kept, kept_scores, kept_classes, kept_count = {NMS.replace("TOTAL", "6")} (anchors, objectness)
        rois = Reshape (kept, flat)
        pooled = RoiAlign <output_height: int = 3, output_width: int = 3, sampling_ratio: int = 2>
            (map, rois, images)
        features = Flatten (pooled)
        logits = MatMul (features, weights)
        apart = Reshape (logits, shape)
        moved = Add (apart, bias)
        scores = Sigmoid (moved)
        shared = Reshape (kept, wide)
        boxes = Expand (shared, tall)
        dets, dets_scores, labels, count = {NMS.replace("TOTAL", "2")} (boxes, scores)
        classes = Cast <to: int = 7> (kept_classes)
        each = Reshape (classes, one)
        places = Add (first, each)
        rows = Gather <axis: int = 0> (rois, places)
    }}
"""
"""Two stages with what exporters write: flat and apart, numbers of images and of rows, a constant a slot."""


def two_stages(batch: int = 1, old: str = "", new: str = "") -> LightModel:
    assert old in TWO_STAGES
    words = {
        "IMAGES": ", ".join(str(image) for image in range(batch) for _ in range(6)),
        "FIRST": ", ".join(str(row) for row in range(6 * batch)),
        "WEIGHTS": ", ".join(f"{value:.3f}" for value in np.random.default_rng(0).normal(0, 2, 54)),
        "[P": f"[{6 * batch}",
        "{P": f"{{{6 * batch}",
        "[B": f"[{batch}",
        "{B": f"{{{batch}",
    }
    graph = TWO_STAGES.replace(old, new) if old else TWO_STAGES
    for word, value in words.items():
        graph = graph.replace(word, value)
    return as_exported(parse(graph, domains=[heads.HEADS]))


def inputs(batch: int = 1, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 4, (batch, 9, 1, 2))
    boxes = np.concatenate([corner, corner + random.uniform(1, 4, corner.shape)], 3)
    drawn = {
        "anchors": boxes,
        "objectness": random.random((batch, 9, 1)),
        "map": random.normal(size=(batch, 2, 8, 8)),
    }
    return {name: value.astype(np.float32) for name, value in drawn.items()}


def run(model: LightModel, values: dict[str, Any]) -> dict[str, NDArray[Any]]:
    return open_session(heads.lower(model), optimize=False).run(values)


def explain(step: LimitProposals | LimitDetections, model: LightModel) -> tuple[Finding, ...]:
    return step.explain(open_graph(model))


def test_everything_behind_has_as_many_rows() -> None:
    after = apply(LimitProposals(count=4), two_stages(2))

    shown = show(after)
    for line in (
        "float[2,4,3] scores, float[2,2,4] dets, float[2,2] dets_scores, float[8,4] rows",
        "int64[8] images_of_fewer = {0, 0, 0, 0, 1, 1, 1, 1}",
        "float[4,1] bias_of_fewer = {0.0, 1.0, 2.0, 3.0}",
        "int64[8] first_of_fewer = {0, 1, 2, 3, 4, 5, 6, 7}",
        "int64[3] shape_3 = {2, 4, -1}",
        "= {2, 4, 1, 4}",
        "= {2, 4, 3, 4}",
        "max_size_per_class = 4, max_total_size = 4",
        "max_size_per_class = 2, max_total_size = 2",
    ):
        assert line in shown, line


GOLDEN = f"""
    (float[1,9,1,4] anchors, float[1,9,1] objectness, float[1,2,8,8] map)
        => (float[1,2,4] dets)
    <int64[2] flat = {{3, 4}}, int64[3] shape = {{1, 3, 18}},
     int64[4] wide = {{1, -1, 1, 4}}, int64[3] image = {{0, 0, 0}}>
    {{
        kept, s, c, n = {NMS.replace("TOTAL", "3")} (anchors, objectness)
        rois = Reshape (kept, flat)
        pooled = RoiAlign <output_height: int = 3, output_width: int = 3> (map, rois, image)
        features = Flatten (pooled)
        scores = Reshape (features, shape)
        boxes = Reshape (kept, wide)
        dets, ds, dc, dn = {NMS.replace("TOTAL", "2")} (boxes, scores)
    }}
"""


def test_the_graph_is_what_its_exporter_would_have_written() -> None:
    after = apply(LimitProposals(count=2), as_exported(parse(GOLDEN, domains=[heads.HEADS])))

    assert show(after) == text(
        """
        (float[1,9,1,4] anchors, float[1,9,1] objectness, float[1,2,8,8] map) => (float[1,2,4] dets)
        <int64[2] image_of_fewer = {0, 0}, int64[2] shape_1 = {2, 4}, int64[3] shape_2 = {1, 2, 18}, """
        """int64[4] wide = {1, -1, 1, 4}>
        {
            kept, s, c, n = convertkit.heads.MulticlassNms <iou_threshold = 0.5, max_size_per_class = 2, """
        """max_total_size = 2, score_threshold = 0.0> (anchors, objectness)
            rois = Reshape (kept, shape_1)
            boxes = Reshape (kept, wide)
            pooled = RoiAlign <output_height = 3, output_width = 3> (map, rois, image_of_fewer)
            features = Flatten (pooled)
            scores = Reshape (features, shape_2)
            dets, ds, dc, dn = convertkit.heads.MulticlassNms <iou_threshold = 0.5, max_size_per_class = 2, """
        """max_total_size = 2, score_threshold = 0.0> (boxes, scores)
        }
        """
    )


ROUNDED = 2.0**-21
"""Of a score, 0..1: a product of fewer rows adds in another order, and onnxruntime's Sigmoid adds 0.5 last, so that a
small score is rounded as one of 0.5 is. Of 2,145 cases the furthest was 3 * 2**-24; another row is off by tenths."""


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 1000))
def test_the_heads_run_on_the_best_proposals(count: int, batch: int, seed: int) -> None:
    before, values = two_stages(batch), inputs(batch, seed)
    after = apply(LimitProposals(count=count), before)
    validate(after)

    old, new = run(before, values), run(after, values)

    first = old["rows"].reshape(batch, 6, 4)[:, :count]
    np.testing.assert_array_equal(new["rows"].reshape(batch, count, 4), first)
    np.testing.assert_allclose(new["scores"], old["scores"][:, :count], rtol=1e-5, atol=ROUNDED)
    attrs = {"iou_threshold": 0.5, "max_size_per_class": 2, "max_total_size": 2, "score_threshold": 0.0}
    boxes = np.repeat(first[:, :, None], 3, 2)
    nms = heads.MULTICLASS_NMS
    wanted = nms.compute([boxes, new["scores"]], nms.complete(attrs))
    np.testing.assert_array_equal(new["dets"], wanted[0])
    np.testing.assert_array_equal(new["dets_scores"], wanted[1])


@pytest.mark.parametrize("count", [6, 7, 1000])
def test_where_there_are_no_more_nothing_changes(count: int) -> None:
    before = two_stages(2)

    assert apply(LimitProposals(count=count), before) is before
    (finding,) = explain(LimitProposals(count=count), before)
    assert (finding.status, finding.why) == ("matched", f"it gives 6, no more than {count}: unchanged")


def test_detections_are_the_first_of_those_there_were() -> None:
    before, values = two_stages(2), inputs(2)
    after = apply(LimitDetections(count=1), before)

    old, new = run(before, values), run(after, values)

    assert [tuple(item.shape) for item in new.values()] == [(2, 6, 3), (2, 1, 4), (2, 1), (12, 4)]
    np.testing.assert_array_equal(new["dets"], old["dets"][:, :1])
    np.testing.assert_array_equal(new["scores"], old["scores"])


def test_the_finding_says_how_many_stay() -> None:
    (proposals,) = explain(LimitProposals(count=4), two_stages())
    (detections,) = explain(LimitDetections(count=1), two_stages())

    assert (proposals.status, proposals.why) == ("matched", "the best 4 of 6 stay")
    assert (detections.status, detections.why) == ("matched", "the best 1 of 2 stay")


POOLED = "scores = Sigmoid (moved)"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (POOLED, "top, which = TopK <axis: int = 1> (moved, six) scores = Sigmoid (top)",
         "Axis has less than the requested k elements"),
        (POOLED, "some = Gather <axis: int = 1> (moved, picked) scores = Sigmoid (some)",
         "Gather 'some' behind it: some (1, 6, 3) would be (1, 6, 3)"),
        (POOLED, "more = Add (moved, other) scores = Sigmoid (more)",
         "Add 'more' behind it: other has a value for each, too, and does not come from this NMS"),
        (POOLED, "turned = Transpose <perm = [1, 0, 2]> (moved) all = Concat <axis: int = 0> (turned, turned) "
         "half = Slice (all, zero, six) back = Transpose <perm = [1, 0, 2]> (half) scores = Sigmoid (back)",
         "Concat 'all' behind it: all (12, 1, 3) would be (10, 1, 3)"),
    ],
)  # fmt: skip
def test_a_node_that_cannot_follow_is_named(old: str, new: str, why: str) -> None:
    graph = TWO_STAGES.replace("int64[1] one", "int64[1] zero = {0}, int64[1] six = {6}, "
                               "int64[6] picked = {0, 1, 2, 3, 4, 4}, int64[1] one")  # fmt: skip
    graph = graph.replace("float[B,2,8,8] map)", "float[B,2,8,8] map, float[B,6,3] other)").replace(old, new)
    before = two_stages(1, TWO_STAGES, graph)

    with pytest.raises(PassError) as caught:
        apply(LimitProposals(count=5), before)

    assert why in caught.value.message
    (finding,) = explain(LimitProposals(count=5), before)
    assert finding.status == "refused"


def test_what_no_other_nms_depends_on_is_no_proposal() -> None:
    model = two_stages()
    graph = open_graph(model)
    (second,) = [
        node for node in graph.find("MulticlassNms", domain=heads.HEADS) if node.outputs[0].name == "dets"
    ]
    second.inputs[0] = graph.constant(np.zeros((1, 6, 3, 4), np.float32))
    second.inputs[1] = graph.constant(np.zeros((1, 6, 3), np.float32))
    graph.tidy()

    with pytest.raises(PassError, match="no MulticlassNms of the graph gives proposals"):
        apply(LimitProposals(count=5), graph.model())


def test_one_that_was_not_fused_is_named() -> None:
    model = two_stages()
    graph = open_graph(model)
    kept = next(tensor for node in graph.nodes for tensor in node.outputs if tensor.name == "kept_scores")
    one = graph.constant(np.array([1, 1, 6], np.int64))
    scores = graph.add("Reshape", [kept, one], dtype=np.float32, shape=(1, 1, 6))
    boxes = next(tensor for node in graph.nodes for tensor in node.outputs if tensor.name == "kept")
    left = graph.add("NonMaxSuppression", [boxes, scores], dtype=np.int64, shape=("n", 3), name="left")
    graph.outputs.append(left)

    with pytest.raises(PassError, match="left: fuse-multiclass-nms has left it as it is; --explain"):
        apply(LimitProposals(count=5), graph.model())


@pytest.mark.parametrize("step", [LimitProposals, LimitDetections])
def test_a_count_below_one_is_refused(step: type[LimitProposals]) -> None:
    step(count=1)
    with pytest.raises(UsageError, match="count=0: at least 1 has to stay"):
        step(count=0)


@pytest.mark.parametrize(
    ("rows", "before", "after", "moved"),
    [
        (Rows(1), (2, 5, 4), (10, 4), Rows(0, outer=2)),
        (Rows(0, outer=2), (10, 4), (2, 5, 1, 4), Rows(1)),
        (Rows(0), (5, 3, 7), (15, 7), Rows(0, inner=3)),
        (Rows(0, inner=3), (15, 7), (5, 21), Rows(0)),
        (Rows(1), (2, 5, 4), (40,), Rows(0, outer=2, inner=4)),
        (Rows(1), (1, 5, 4), (1, 1, 5, 4), Rows(2)),
        (Rows(1), (2, 5, 4), (4, 10), None),
    ],
)
def test_rows_after_a_change_of_shape(
    rows: Rows, before: tuple[int, ...], after: tuple[int, ...], moved: Rows | None
) -> None:
    assert rows.moved(before, after, 5) == moved


def test_constants_keep_the_first_of_each_block_and_numbers_go_on() -> None:
    images, numbers = np.repeat([0, 1], 5), np.arange(10) * 3

    assert Rows(0, outer=2).first(images, 5, 2).tolist() == [0, 0, 1, 1]
    assert Rows(0, outer=2).first(numbers, 5, 2).tolist() == [0, 3, 6, 9]
    assert Rows(0).first(np.array([7, 1, 2, 3, 4]), 5, 2).tolist() == [7, 1]
    assert Rows(0, inner=2).first(np.arange(10), 5, 2).tolist() == [0, 1, 2, 3]


def test_rows_inside_another_node_are_refused() -> None:
    graph = TWO_STAGES.replace(
        POOLED, "scores = If (yes) <then_branch = a () => (t) { t = Sigmoid (moved) }, "
        "else_branch = b () => (e) { e = Identity (moved) }>"
    ).replace("float[B,2,8,8] map)", "float[B,2,8,8] map, bool yes)")  # fmt: skip
    before = two_stages(1, TWO_STAGES, graph)

    with pytest.raises(PassError, match=r"it sits inside another node and reads moved; cut-loops"):
        apply(LimitProposals(count=5), before)
