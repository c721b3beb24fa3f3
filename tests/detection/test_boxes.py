"""IoU against pycocotools, and clipping."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.detection.boxes import area, clip, iou

corner = st.integers(0, 20)
boxes = st.lists(st.tuples(corner, corner, st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6)


def xyxy(boxes):
    corners = np.array(boxes, np.float32)
    corners[:, 2:] += corners[:, :2]
    return corners


@pytest.mark.slow
@given(boxes, boxes)
def test_iou_is_that_of_pycocotools(a, b):
    found = iou(xyxy(a), xyxy(b))

    expected = mask_utils.iou(np.array(a, float), np.array(b, float), [0] * len(b))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_encloses_nothing_overlaps_nothing():
    strange = np.array([[1, 1, 1, 5], [5, 5, 1, 1], [np.nan, 0, 9, 9], [0, 0, np.inf, 9]], np.float32)

    found = iou(strange, np.concatenate([strange, np.array([[0, 0, 9, 9]], np.float32)]))

    assert (found == 0).all()


def test_no_boxes_have_a_shape_too():
    assert iou(np.zeros((0, 4)), np.ones((3, 4))).shape == (0, 3)


def test_area_is_width_times_height():
    np.testing.assert_array_equal(area(np.array([[1.0, 2.0, 4.0, 4.0]])), [6.0])


def test_clip_keeps_boxes_inside_the_image():
    found = clip(np.array([[-3, 2, 30, 40], [1, 2, 3, 4]], np.float32), height=20, width=10)

    np.testing.assert_array_equal(found, np.array([[0, 2, 10, 20], [1, 2, 3, 4]], np.float32))
    assert found.dtype == np.float32
