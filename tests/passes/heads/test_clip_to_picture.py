"""``clip-to-picture``: one more input, and boxes that end where it says."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.clip_to_picture import ClipToPicture

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import LightModel
from convertkit.graph.graph import open_graph
from convertkit.passes.check import Checker
from convertkit.passes.pipeline import run_step
from convertkit.passes.state import GraphState
from convertkit.plugins.loading import open_plugins
from tests.graphtext import apply, parse, show, text
from tests.passes.heads.nms_forms import random_inputs

heads.DOMAIN.register_schemas()

DETECTIONS = """
    (float[1,2,3,4] boxes, float[1,2,3] scores) => (float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
    {
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.25> (boxes, scores)
    }
"""


def detections() -> LightModel:
    return parse(DETECTIONS, domains=[heads.HEADS])


def test_boxes_are_clipped_in_front_of_the_operator() -> None:
    after = apply(ClipToPicture(), detections())

    assert show(after) == text(
        """
        (float[1,2,3,4] boxes, float[1,2,3] scores, float[1,4] picture) => """
        """(float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
        <int64[4] columns = {0, 1, 0, 1}, int64[4] columns_1 = {2, 3, 2, 3}, int64[4] shape = {1, 1, 1, 4}, """
        """int64[4] shape_1 = {1, 1, 1, 4}>
        {
            Gather_output = Gather <axis = 1> (picture, columns)
            Gather_1_output = Gather <axis = 1> (picture, columns_1)
            Reshape_output = Reshape (Gather_output, shape)
            Reshape_1_output = Reshape (Gather_1_output, shape_1)
            Max_output = Max (boxes, Reshape_output)
            Min_output = Min (Max_output, Reshape_1_output)
            nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms """
        """<iou_threshold = 0.5, max_size_per_class = 4, max_total_size = 4, score_threshold = 0.25> """
        """(Min_output, scores)
        }
        """
    )


def test_a_box_ends_with_the_picture() -> None:
    inputs = {
        "boxes": np.tile(np.array([10, 10, 90, 90], np.float32), (1, 2, 3, 1)),
        "scores": np.full((1, 2, 3), 0.1, np.float32),
        "picture": np.array([[20, 5, 60, 95]], np.float32),
    }
    inputs["scores"][0, 0, 0] = 0.9

    model = heads.lower(apply(ClipToPicture(), detections()))
    found = open_session(model).run(inputs)

    np.testing.assert_array_equal(found["nmsed_boxes"][0, 0], [20, 10, 60, 90])
    assert not found["nmsed_boxes"][0, 1:].any()


def test_the_input_is_named_by_an_option() -> None:
    after = apply(ClipToPicture(input="window"), detections())

    assert [item.name for item in after.proto.graph.input] == ["boxes", "scores", "window"]


@pytest.mark.parametrize("taken", ["boxes", "nmsed_scores"])
def test_a_name_that_is_taken_is_refused(taken: str) -> None:
    before = detections()

    (finding,) = ClipToPicture(input=taken).explain(open_graph(before))

    assert (finding.status, finding.why) == ("refused", f"the graph has a tensor {taken} already")
    assert apply(ClipToPicture(input=taken), before) is before


def test_a_graph_without_nms_gets_no_input() -> None:
    before = parse("(float[2] x) => (float[2] y) { y = Relu (x) }")

    assert apply(ClipToPicture(), before) is before


TWO_STAGES = """
    (float[1,3,2,4] boxes, float[1,3,2] scores, float[1,4,5] second)
        => (float[1,4] first_scores, float[1,2,4] nmsed_boxes, float[1,2] nmsed_scores)
    {
        rois, first_scores, levels, number = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 3, max_total_size: int = 4,
            score_threshold: float = 0.0> (boxes, scores)
        wide = Unsqueeze <axes: ints = [2]> (rois)
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 2, max_total_size: int = 2,
            score_threshold: float = 0.25> (wide, second)
    }
"""


@pytest.mark.parametrize(("drop_empty", "kept"), [(True, 3), (False, 4)])
def test_proposals_that_the_clip_leaves_without_area_are_dropped(drop_empty: bool, kept: int) -> None:
    random = np.random.default_rng(0)
    inputs = {
        "boxes": np.zeros((1, 3, 2, 4), np.float32),
        "scores": random.uniform(0.5, 1, (1, 3, 2)).astype(np.float32),
        "second": np.full((1, 4, 5), 0.5, np.float32),
        "picture": np.array([[0, 0, 50, 50]], np.float32),
    }
    inputs["boxes"][0, :, 0] = [[0, 0, 9, 9], [20, 20, 60, 60], [60, 0, 70, 9]]  # the last lies outside
    inputs["boxes"][0, :, 1] = [[0, 0, 9, 9], [0, 51, 9, 59], [51, 51, 60, 60]]  # and these two
    before = parse(TWO_STAGES, domains=[heads.HEADS])

    after = heads.lower(apply(ClipToPicture(drop_empty=drop_empty), before))

    assert (open_session(after).run(inputs)["first_scores"] > 0).sum() == kept


def test_detections_without_area_are_not() -> None:
    after = apply(ClipToPicture(), parse(TWO_STAGES, domains=[heads.HEADS]))

    last = after.proto.graph.node[-1]
    assert (last.op_type, last.input[1]) == ("MulticlassNms", "second")


BETWEEN = "wide = Unsqueeze <axes: ints = [2]> (rois)"


@pytest.mark.parametrize(
    ("between", "dropped"),
    [
        (BETWEEN, True),
        ("spare = Neg (rois) wide = Unsqueeze <axes: ints = [2]> (rois)", True),
        ("spare = Neg (rois) " + BETWEEN.replace("(rois)", "(input)"), False),
        ("picked = NonMaxSuppression (rois, turned) " + BETWEEN.replace("(rois)", "(input)"), True),
    ],
)
def test_proposals_are_boxes_that_another_nms_depends_on(between: str, dropped: bool) -> None:
    text = TWO_STAGES.replace(BETWEEN, between)
    for kind, name in (("int64[P,3]", "picked"), ("float[1,4,4]", "spare")):
        if name in between:
            text = text.replace("nmsed_scores)", f"nmsed_scores, {kind} {name})", 1)
    more = ", float[1,4,4] input, float[1,1,4] turned)" if "input" in between else ")"
    after = apply(
        ClipToPicture(), parse(text.replace("5] second)", f"5] second{more}"), domains=[heads.HEADS])
    )

    assert sum(node.op_type == "ReduceMin" for node in after.proto.graph.node) == dropped


def test_a_graph_that_parts_and_meets_is_walked_once() -> None:
    chain = "n0 = Add (rois, rois) "
    chain += " ".join(f"n{place + 1} = Add (n{place}, n{place})" for place in range(40))
    text = TWO_STAGES.replace(BETWEEN, f"{chain} {BETWEEN.replace('(rois)', '(input)')}")
    text = text.replace("nmsed_scores)", "nmsed_scores, float[1,4,4] n40)", 1)
    model = parse(text.replace("5] second)", "5] second, float[1,4,4] input)"), domains=[heads.HEADS])

    assert not any(node.op_type == "ReduceMin" for node in apply(ClipToPicture(), model).proto.graph.node)


SECOND = (
    DETECTIONS.replace("float[1,2,3] scores)", "float[1,2,3] scores, float[B,5,1,4] b, float[B,5,3] s)")
    .replace("nmsed_scores)", "nmsed_scores, float[B,4,4] other)")
    .replace(
        "    }",
        """    other, values, classes, number = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.25> (b, s)
    }""",
    )
)


def test_an_nms_of_open_size_is_told_beside_those_that_are_clipped() -> None:
    found = ClipToPicture().explain(open_graph(parse(SECOND, domains=[heads.HEADS])))

    assert [(item.status, item.where, item.why, item.tensor) for item in found] == [
        ("matched", "nmsed_boxes", "boxes are clipped to the input picture", "boxes"),
        ("refused", "other", "b has no fixed size", "b"),
    ]


def test_an_nms_of_open_size_is_told_alone() -> None:
    (found,) = ClipToPicture().explain(
        open_graph(parse(DETECTIONS.replace("[1,2,", "[1,N,"), domains=[heads.HEADS]))
    )

    assert (found.status, found.why) == ("refused", "boxes has no fixed size")


def test_batches_that_differ_are_refused() -> None:
    before = parse(SECOND.replace("[B,", "[2,"), domains=[heads.HEADS])

    found = ClipToPicture().explain(open_graph(before))

    wanted = ("refused", "the batch differs: 1, 2", "boxes")
    assert [(item.status, item.why, item.tensor) for item in found] == [wanted] * 2
    assert apply(ClipToPicture(), before) is before


def test_boxes_in_float16_of_a_batch() -> None:
    text = SECOND.replace("[1,", "[2,").replace("float[2,", "float16[2,").replace("[B,", "[2,")

    after = apply(ClipToPicture(), parse(text, domains=[heads.HEADS]))

    graph = open_graph(after)
    casts = list(graph.find("Cast"))
    assert [(cast.attrs["to"], cast.outputs[0].dtype, cast.outputs[0].shape) for cast in casts] == [
        (10, np.float16, [2, 4])
    ] * 2
    limits = [(item.op, np.dtype(item.outputs[0].dtype).name) for item in graph.find(["Max", "Min"])]
    assert sorted(limits) == [(op, name) for op in ("Max", "Min") for name in ("float16", "float32")]
    assert graph.inputs[-1].shape == [2, 4] and graph.inputs[-1].dtype == np.float32
    shapes = [item.inputs[1].values.tolist() for item in graph.find("Reshape")]
    assert shapes == [[2, 1, 1, 4]] * 4


def test_proposals_without_area_are_dropped_by_nodes_of_known_shape() -> None:
    after = open_graph(apply(ClipToPicture(), parse(TWO_STAGES, domains=[heads.HEADS])))

    lines = [
        (node.op, node.outputs[0].dtype, node.outputs[0].shape)
        for node in after.find(["Slice", "Sub", "ReduceMin", "Sign", "Relu", "Mul"])
    ]
    corners, leading = [1, 3, 2, 2], [1, 3, 2]
    assert sorted(lines, key=str) == sorted(
        [
            *[("Slice", np.float32, corners)] * 2, ("Sub", np.float32, corners), ("ReduceMin", np.float32, leading),
            ("Sign", np.float32, leading), ("Relu", np.float32, leading), ("Mul", np.float32, leading),
        ],
        key=str,
    )  # fmt: skip


def test_every_picture_of_a_batch_fills_the_canvas() -> None:
    text = (
        DETECTIONS.replace("[1,", "[3,")
        .replace("3] scores", "3] scores, float[3,3,40,60] image")
        .replace("(float", "(float[7] more, float", 1)
    )
    step = ClipToPicture()

    added = step.added_inputs(apply(step, parse(text, domains=[heads.HEADS])))

    assert {name: (value.dtype, value.tolist()) for name, value in added.items()} == {
        "picture": (np.float32, [[0, 0, 60, 40]] * 3)
    }
    assert step.added_inputs(parse(text, domains=[heads.HEADS])) == {}


FIVE_BOXES = TWO_STAGES.replace("[1,3,2", "[1,5,2")
"""Boxes whose shape nobody takes for that of an image."""


def test_a_picture_that_fills_the_canvas_changes_nothing() -> None:
    text = FIVE_BOXES.replace("float[1,4,5] second)", "float[1,4,5] second, float[1,3,40,60] image)")
    step = ClipToPicture()

    added = step.added_inputs(apply(step, parse(text, domains=[heads.HEADS])))

    assert {name: value.tolist() for name, value in added.items()} == {"picture": [[0, 0, 60, 40]]}


def test_without_an_image_input_a_picture_that_holds_every_box_stands_for_the_canvas() -> None:
    open_plugins()  # which say how the vendor's operators are run
    step, before = ClipToPicture(), parse(FIVE_BOXES, domains=[heads.HEADS])

    (picture,) = step.added_inputs(apply(step, before)).values()
    record = run_step(GraphState(before), step, checker=Checker([random_inputs(before, 0)]))

    assert picture.tolist() == [[-65504, -65504, 65504, 65504]]
    assert record.check is not None
    assert (record.check.samples, record.check.max_error) == (1, 0)
