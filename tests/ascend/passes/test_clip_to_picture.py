"""``clip-to-picture``: one more input, and boxes that end where it says."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from convertkit_ascend.passes.clip_to_picture import ClipToPicture
from convertkit_ascend.twin import lower

import convertkit
from convertkit.graph.graph import open_graph
from tests.graphtext import apply, parse, show, text

ops.register_schemas()

DETECTIONS = """
    (float[1,2,3,4] boxes, float[1,2,3] scores) => (float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
    {
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.ascend.BatchMultiClassNMS <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.25> (boxes, scores)
    }
"""


def detections() -> convertkit.LightModel:
    return parse(DETECTIONS, domains=[ops.DOMAIN])


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
            nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.ascend.BatchMultiClassNMS """
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

    model = lower(apply(ClipToPicture(), detections()), "framework")
    found = convertkit.open_session(model).run(inputs)

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
