"""Graphs with vendor operators, run stretch by stretch with the operators' own semantics between them."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from convertkit_ascend.numerics import Effects, emulate

from convertkit.api.passes import GraphError
from tests.graphtext import parse

GRAPH = """
(float[1,40,1,4] boxes, float[1,40,3] scores, float[1,2,8,8] fine, float[1,2,4,4] coarse) => (float[10,2,2,2] y, float[1,10] kept)
<float zero = {0.0}, int64[1] two = {2}, int64[2] flat = {10, 4}, float[10,1] picture = {0,0,0,0,0,0,0,0,0,0}, float half = {0.5}>
{
    better = Mul(scores, half)
    found, kept, kind, number = convertkit.ascend.BatchMultiClassNMS <score_threshold = 0.1, iou_threshold = 0.5, max_size_per_class = 10, max_total_size = 10> (boxes, better)
    corners = Reshape(found, flat)
    rois = Concat <axis = 1> (picture, corners)
    warm = Add(fine, half)
    y = convertkit.ascend.RoiExtractor <finest_scale = 8, pooled_height = 2, pooled_width = 2, spatial_scale = [0.25, 0.125], sample_num = 2> (warm, coarse, rois)
}
"""  # noqa: E501


@pytest.fixture
def model():
    ops.register_schemas()
    return parse(GRAPH)


@pytest.fixture
def inputs():
    random = np.random.default_rng(0)
    corners = random.uniform(0, 24, (1, 40, 1, 2)).astype(np.float32)
    sizes = random.uniform(1, 20, (1, 40, 1, 2)).astype(np.float32)
    return {
        "boxes": np.concatenate([corners, corners + sizes], -1),
        "scores": random.random((1, 40, 3), np.float32),
        "fine": random.normal(size=(1, 2, 8, 8)).astype(np.float32),
        "coarse": random.normal(size=(1, 2, 4, 4)).astype(np.float32),
    }


NMS = {"score_threshold": 0.1, "iou_threshold": 0.5, "max_size_per_class": 10, "max_total_size": 10}
ROI = {
    "finest_scale": 8,
    "pooled_height": 2,
    "pooled_width": 2,
    "spatial_scale": [0.25, 0.125],
    "sample_num": 2,
}


def by_hand(inputs, nms, roi, half=lambda values: values):
    boxes, scores, fine, coarse = (half(inputs[name]) for name in ("boxes", "scores", "fine", "coarse"))
    found, kept, *_ = ops.BATCH_MULTI_CLASS_NMS.compute(nms, [boxes, half(scores * np.float32(0.5))], NMS)
    rois = np.concatenate([np.zeros((10, 1), np.float32), found[0]], 1)
    (y,) = ops.ROI_EXTRACTOR.compute(roi, [half(fine + np.float32(0.5)), coarse, rois], ROI)
    return y, kept


@pytest.mark.parametrize(
    ("effects", "nms", "roi"),
    [
        ("none", "ideal", "ideal"),
        ("nms", "device", "ideal"),
        ("roi-extractor", "ideal", "device"),
        ("nms+roi-extractor", "device", "device"),
    ],
)
def test_each_vendor_operator_has_the_semantics_that_was_chosen(model, inputs, effects, nms, roi):
    found = emulate(model, Effects.parse(effects)).run(inputs)

    y, kept = by_hand(inputs, nms, roi)
    np.testing.assert_array_equal(found["y"], y)
    np.testing.assert_array_equal(found["kept"], kept)


def test_all_effects_together(model, inputs):
    found = emulate(model, Effects()).run(inputs)

    y, kept = by_hand(inputs, "device", "device", lambda values: values.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(found["y"], y)
    np.testing.assert_array_equal(found["kept"], kept)


def test_the_effects_make_a_difference_here(inputs):
    ideal, device = by_hand(inputs, "ideal", "ideal"), by_hand(inputs, "device", "device")

    assert not np.array_equal(ideal[0], device[0])
    assert not np.array_equal(ideal[1], device[1])


def test_a_missing_input_is_named(model, inputs):
    del inputs["coarse"]

    with pytest.raises(GraphError, match="'coarse' is missing"):
        emulate(model, Effects()).run(inputs)
