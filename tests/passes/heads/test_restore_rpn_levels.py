"""``restore-rpn-levels``: one class per pyramid level, and the proposals that gives."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_passes.restore_rpn_levels import RestoreRpnLevels

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import Finding, LightModel
from convertkit.graph.graph import open_graph
from tests.graphtext import apply, as_exported, parse, show, text

heads.DOMAIN.register_schemas()

PROPOSALS = """
    (float[1,3,4] b0, float[1,2,4] b1, float[1,3,1] s0, float[1,2,1] s1, float[1,2,8,8] map, int64[4] zeros)
        => (float[4,2,7,7] pooled, float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
    <int64[4] wide = {1, 5, 1, 4}, int64[2] flat = {-1, 4}>
    {
        boxes = Concat <axis = 1> (b0, b1)
        scores = Concat <axis = 1> (s0, s1)
        shared = Reshape (boxes, wide)
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.0> (shared, scores)
        rois = Reshape (nmsed_boxes, flat)
        pooled = RoiAlign <output_height: int = 7, output_width: int = 7, sampling_ratio: int = 2>
            (map, rois, zeros)
    }
"""


def proposals(old: str = "", new: str = "") -> LightModel:
    assert old in PROPOSALS
    return as_exported(parse(PROPOSALS.replace(old, new) if old else PROPOSALS, domains=[heads.HEADS]))


def explain(model: LightModel) -> tuple[Finding, ...]:
    return RestoreRpnLevels().explain(open_graph(model))


def test_a_level_of_open_size_is_refused_by_name() -> None:
    """What the levels come together in may have a fixed size all the same: the graph says so of its output."""
    model = proposals("float[1,3,4] b0", "float[1,N,4] b0")
    model.proto.graph.output.append(onnx.helper.make_tensor_value_info("boxes", 1, [1, 5, 4]))

    (finding,) = explain(model)

    assert (finding.status, finding.tensor) == ("refused", "b0")
    assert finding.why.startswith("b0 has no fixed size")


def test_levels_become_classes_and_short_ones_are_padded() -> None:
    after = apply(RestoreRpnLevels(), proposals())

    assert show(after) == text(
        """
        (float[1,3,4] b0, float[1,2,4] b1, float[1,3,1] s0, float[1,2,1] s1, float[1,2,8,8] map, int64[4] zeros) => """
        """(float[4,2,7,7] pooled, float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
        <int64[2] flat = {-1, 4}, int64[8] pads = {0, 0, 0, 0, 0, 1, 0, 0}, int64[6] pads_1 = {0, 0, 0, 0, 1, 0}, """
        """int64[4] shape = {1, 3, 1, 4}, int64[4] shape_1 = {1, 2, 1, 4}>
        {
            Reshape_output = Reshape (b0, shape)
            Reshape_1_output = Reshape (b1, shape_1)
            Pad_1_output = Pad (s1, pads_1)
            Pad_output = Pad (Reshape_1_output, pads)
            Concat_1_output = Concat <axis = 2> (s0, Pad_1_output)
            Concat_output = Concat <axis = 2> (Reshape_output, Pad_output)
            nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms """
        """<iou_threshold = 0.5, max_size_per_class = 3, max_total_size = 4, score_threshold = 0.0> """
        """(Concat_output, Concat_1_output)
            rois = Reshape (nmsed_boxes, flat)
            pooled = RoiAlign <output_height = 7, output_width = 7, sampling_ratio = 2> (map, rois, zeros)
        }
        """
    )


def test_a_box_is_kept_beside_the_same_box_of_another_level() -> None:
    before = proposals()
    same, other = [0, 0, 4, 4], [5, 5, 8, 8]
    inputs = {
        "b0": np.array([[same, same, other]], np.float32),
        "b1": np.array([[same, other]], np.float32),
        "s0": np.array([[[0.9], [0.8], [0.4]]], np.float32),
        "s1": np.array([[[0.7], [0.6]]], np.float32),
        "map": np.zeros((1, 2, 8, 8), np.float32),
        "zeros": np.zeros(4, np.int64),
    }

    merged, apart = (
        open_session(heads.lower(item)).run(inputs) for item in (before, apply(RestoreRpnLevels(), before))
    )

    np.testing.assert_allclose(merged["nmsed_scores"], [[0.9, 0.6, 0, 0]])
    np.testing.assert_allclose(apart["nmsed_scores"], [[0.9, 0.7, 0.6, 0.4]])
    np.testing.assert_array_equal(apart["nmsed_boxes"], [[same, same, other, other]])


def test_the_finding_names_the_levels() -> None:
    (finding,) = explain(proposals())

    assert (finding.status, finding.why) == ("matched", "2 levels of 3, 2 boxes become classes of 3")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "boxes = Concat <axis = 1> (b0, b1)",
            "all = Concat <axis = 1> (b0, b1) boxes = Relu (all)",
            "shared is not a concatenation of levels",
        ),
        (
            "scores = Concat <axis = 1> (s0, s1)",
            "scores = Concat <axis = 1> (s1, s0)",
            "(3, 2), its scores of (2, 3)",
        ),
    ],
)
def test_what_is_refused(old: str, new: str, why: str) -> None:
    before = proposals(old, new)

    (finding,) = explain(before)

    assert finding.status == "refused"
    assert why in finding.why
    assert apply(RestoreRpnLevels(), before) is before


def test_an_nms_whose_boxes_are_no_rois_is_not_looked_at() -> None:
    before = proposals("rois = Reshape (nmsed_boxes, flat)", "rois = Reshape (corners, flat)")
    corners = onnx.numpy_helper.from_array(np.zeros((4, 4), np.float32), "corners")
    before.proto.graph.initializer.append(corners)

    assert explain(before) == ()
    assert apply(RestoreRpnLevels(), before) is before
