"""Pasted masks against a pixel-by-pixel ``grid_sample`` on a full canvas, encoded by pycocotools."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convertkit.detection.masks import paste

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # by pycocotools

NAN, INF = float("nan"), float("inf")


def grid_sample(mask, xs, ys):
    """Bilinear samples with zero padding, written as torch computes them: four neighbours and their weights."""
    result = np.zeros((len(ys), len(xs)), np.float32)
    height, width = mask.shape
    x, y = np.meshgrid(xs, ys)
    x, y = (((x + 1) * width - 1) / 2).astype(np.float32), (((y + 1) * height - 1) / 2).astype(np.float32)
    low_x, low_y = np.floor(x), np.floor(y)
    for dy in (0, 1):
        for dx in (0, 1):
            near_x, near_y = low_x + dx, low_y + dy
            inside = (near_x >= 0) & (near_x < width) & (near_y >= 0) & (near_y < height)
            at = np.where(inside, near_y, 0).astype(int), np.where(inside, near_x, 0).astype(int)
            weight = (1 - np.abs(x - near_x)) * (1 - np.abs(y - near_y))
            result += np.where(inside, weight * mask[at], 0)
    return result


def paste_one(mask, box, height, width):
    """mmdet's ``_do_paste_mask`` with skip_empty for one box: probabilities ``(height, width)``, NaN unfilled."""
    canvas = np.full((height, width), np.nan, np.float32)
    if not np.isfinite(box).all():
        return canvas
    x0, y0, x1, y1 = box
    left, top = int(max(np.floor(x0) - 1, 0)), int(max(np.floor(y0) - 1, 0))
    right, bottom = int(min(np.ceil(x1) + 1, width)), int(min(np.ceil(y1) + 1, height))
    if left >= right or top >= bottom:
        return canvas
    with np.errstate(all="ignore"):
        xs = (np.arange(left, right, dtype=np.float32) + np.float32(0.5) - x0) / (x1 - x0) * 2 - 1
        ys = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5) - y0) / (y1 - y0) * 2 - 1
        xs[np.isinf(xs)] = 0
        ys[np.isinf(ys)] = 0
        canvas[top:bottom, left:right] = grid_sample(mask, xs, ys)
    return canvas


coordinate = st.one_of(
    st.floats(-60, 120, width=32),
    st.integers(-20, 70).map(float),
    st.sampled_from([NAN, INF, -INF, 1e30, 0.5, 63.5]),
)
boxes = st.lists(st.tuples(*[coordinate] * 4), max_size=6)


@pytest.mark.slow
@given(
    boxes, st.integers(1, 70), st.integers(1, 70), st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(0, 99)
)
@example([(0.0, 0.0, 64.0, 64.0)], 64, 64, 0.0, 0)  # full columns: their runs touch
@example([(5.0, 5.0, 5.0, 5.0), (9.0, 9.0, 4.0, 4.0)], 20, 20, 0.3, 0)  # no extent, inverted
@example([(NAN, 0.0, 9.0, 9.0), (-50.0, -50.0, -40.0, -40.0)], 20, 20, 0.5, 0)
@settings(deadline=None, max_examples=150)
def test_every_pixel_is_that_of_mmdet(boxes, height, width, threshold, seed):
    rng = np.random.default_rng(seed)
    masks = rng.random((len(boxes), 7, 5), np.float32)
    masks = np.where(rng.random(masks.shape) < 0.3, np.float32(0.0), masks)
    corners = np.array(boxes, np.float32).reshape(-1, 4)

    rles = paste(masks, corners, height, width, threshold)

    assert len(rles) == len(boxes)
    for mask, box, found in zip(masks, corners, rles, strict=True):
        expected = paste_one(mask, box, height, width)
        canvas = mask_utils.decode(found)
        undecided = np.abs(expected - threshold) < 1e-5  # the order of additions decides these
        np.testing.assert_array_equal((canvas == 1)[~undecided], (expected >= threshold)[~undecided])
        assert found == mask_utils.encode(canvas), "not the bytes that pycocotools writes"


def test_masks_are_the_same_together_and_one_by_one(monkeypatch):
    rng = np.random.default_rng(1)
    masks = rng.random((4, 28, 28), np.float32)
    boxes = np.array([[0, 0, 90, 60], [-20, -20, 120, 90], [10, 3, 12, 59], [3.5, 2.5, 80.5, 60]], np.float32)
    whole = paste(masks, boxes, 60, 90)

    monkeypatch.setattr("convertkit.detection.masks._COLUMNS", 1)

    assert paste(masks, boxes, 60, 90) == whole


@pytest.mark.parametrize("side", [3.5, 10.5])
def test_a_probability_that_is_the_threshold_is_inside(side):
    """At these sides pixels lie exactly between two rows of the mask, one of 0s and one of 1s."""
    mask = np.tile(np.repeat(np.float32([0, 1, 0]), [2, 3, 2])[:, None], (1, 1, 7)).reshape(1, 7, 7)
    box = np.array([[3, 5, 3 + side, 5 + side]], np.float32)

    (found,) = paste(mask, box, 40, 40)

    expected = np.nan_to_num(paste_one(mask[0], box[0], 40, 40))
    assert (expected == 0.5).any()
    np.testing.assert_array_equal(mask_utils.decode(found), expected >= 0.5)


def test_a_probability_that_is_not_finite_spreads_nowhere():
    mask = np.ones((1, 8, 8), np.float32)
    mask[0, 2, 2] = np.nan

    (rle,) = paste(mask, np.array([[0, 0, 80, 80]], np.float32), 80, 80)

    canvas = mask_utils.decode(rle)
    assert canvas[25, 25] == 0
    assert canvas[60, 60] == canvas[25, 60] == canvas[60, 25] == 1


def test_no_detections_give_no_masks():
    assert paste(np.zeros((0, 28, 28), np.float32), np.zeros((0, 4), np.float32), 10, 10) == []


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"\(N, h, w\)"):
        paste(np.zeros((2, 28, 28), np.float32), np.zeros((3, 4), np.float32), 10, 10)
