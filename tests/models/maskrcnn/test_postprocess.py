"""Raw outputs of Mask R-CNN as detections in the original photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycocotools.mask as mask_utils
import pytest

from convertkit.api.models import paste
from convertkit.api.passes import GraphError
from convertkit.detection.letterbox import placement
from convertkit.detection.settings import PostprocessSpec, PreprocessSpec
from convertkit.models.base import Model
from convertkit.models.package import read_spec

ROOM = Path(__file__).parents[3] / "models" / "maskrcnn"
SPEC = PostprocessSpec(score_threshold=0.05, mask_threshold=0.5)
SETTINGS = PreprocessSpec(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
PLACE = placement(60, 80, (40, 40), SETTINGS)  # a 80 x 60 photo at half its size


@pytest.fixture
def postprocess():
    return Model(read_spec(ROOM)).postprocess


def outputs(scores, labels=None, classes=3):
    count = len(scores)
    dets = np.zeros((count, 5), np.float32)
    dets[:, :4] = [5, 5, 15, 20]
    dets[:, 4] = scores
    labels = np.zeros(count, np.int64) if labels is None else np.array(labels)
    masks = np.zeros((count, classes, 28, 28), np.float32)
    masks[np.arange(count), np.clip(labels, 0, classes - 1)] = 1.0
    return {"dets": dets, "labels": labels, "masks": masks}


def test_boxes_and_masks_are_those_of_the_original_photo(postprocess):
    found = postprocess(outputs([0.9], [2]), PLACE, SPEC)

    np.testing.assert_array_equal(found.boxes, np.array([[10, 10, 30, 40]], np.float32))
    canvas = np.zeros((60, 80), np.uint8, order="F")
    canvas[10:40, 10:30] = 1
    assert found.masks == (mask_utils.encode(canvas),)


def test_the_mask_is_that_of_the_predicted_class(postprocess):
    raw = outputs([0.9, 0.8], [2, 1])
    raw["masks"][0, 2], raw["masks"][1, 1] = 0.0, 1.0
    raw["masks"][0, 1], raw["masks"][1, 2] = 1.0, 0.0

    found = postprocess(raw, PLACE, SPEC)

    empty = paste(np.zeros((1, 28, 28), np.float32), found.boxes[:1], 60, 80)[0]
    full = paste(np.ones((1, 28, 28), np.float32), found.boxes[:1], 60, 80)[0]
    assert found.masks == (empty, full)


def test_masks_of_the_predicted_class_alone_give_the_same(postprocess):
    raw = outputs([0.9, 0.5, 0.01], [2, 0, 1])
    chosen = {**raw, "masks": raw["masks"][np.arange(3), raw["labels"]]}

    assert postprocess(chosen, PLACE, SPEC).masks == postprocess(raw, PLACE, SPEC).masks


def test_a_slot_is_kept_only_above_the_threshold(postprocess):
    found = postprocess(outputs([0.9, np.float32(0.05), 0.0, 0.3], [0, 1, -1, 2]), PLACE, SPEC)

    np.testing.assert_array_equal(found.scores, np.array([0.9, 0.3], np.float32))
    assert found.labels.tolist() == [0, 2]
    assert found.labels.dtype == np.int64


def test_boxes_are_clipped_to_the_picture_and_masks_are_pasted_into_the_boxes_as_they_were(postprocess):
    raw = outputs([0.9], [0])
    raw["dets"][0, :4] = [30, 20, 40, 40]  # in the photo 60, 40 to 80, 80, of which 60, 40 to 80, 60 exists
    raw["masks"][0, 0] = np.tri(28)

    found = postprocess(raw, PLACE, SPEC)

    np.testing.assert_array_equal(found.boxes, np.array([[60, 40, 80, 60]], np.float32))
    unclipped = np.array([[60, 40, 80, 80]], np.float32)
    assert found.masks == tuple(paste(raw["masks"][:, 0], unclipped, 60, 80))
    assert found.masks != tuple(paste(raw["masks"][:, 0], found.boxes, 60, 80))


def test_labels_of_any_integer_type_will_do(postprocess):
    raw = outputs([0.9], [1])
    raw["labels"] = raw["labels"].astype(np.int32)

    assert postprocess(raw, PLACE, SPEC).labels.tolist() == [1]


def test_no_detections_are_no_error(postprocess):
    found = postprocess(outputs([0.0, 0.0], [-1, -1]), PLACE, SPEC)

    assert len(found) == 0
    assert found.masks == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dets": np.zeros((2, 4), np.float32)}, r"dets \(2, 4\) is not \(N, 5\)"),
        ({"labels": np.zeros(3, np.int64)}, r"labels \(3,\)"),
        ({"masks": np.zeros((1, 3, 28, 28), np.float32)}, r"masks \(1, 3, 28, 28\)"),
        ({"masks": np.zeros((2, 28), np.float32)}, "neither"),
        ({"labels": np.array([0, 3])}, r"labels 0\.\.3, but masks of 3 classes"),
        ({"dets": np.full((2, 5), np.nan, np.float32)}, "not a number"),
    ],
)
def test_outputs_that_mean_nothing_are_refused(postprocess, change, complaint):
    with pytest.raises(GraphError, match=complaint):
        postprocess({**outputs([0.9, 0.8]), **change}, PLACE, SPEC)


def test_a_missing_output_is_named(postprocess):
    raw = outputs([0.9])
    del raw["masks"]

    with pytest.raises(GraphError, match="no output 'masks'; it has dets, labels"):
        postprocess(raw, PLACE, SPEC)
