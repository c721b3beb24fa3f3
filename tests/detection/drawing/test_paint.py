"""Detections in photos, photos side by side, files."""

from __future__ import annotations

import cv2
import numpy as np
import pycocotools.mask as mask_utils
import pytest

from convertkit.detection.drawing.paint import paint, side_by_side, write_picture
from convertkit.detection.types import Detections
from convertkit.errors import UsageError

GREY = np.full((60, 80, 3), 200, np.uint8)


def found(score=0.9):
    inside = np.zeros((60, 80), np.uint8, order="F")
    inside[30:40, 30:50] = 1
    boxes = np.array([[20, 20, 60, 50]], np.float32)
    return Detections(boxes, np.array([score], np.float32), np.array([1]), (mask_utils.encode(inside),))


def test_boxes_masks_and_labels_are_where_they_belong():
    drawn = paint(GREY, found(), ["cup", "bowl"])

    assert (GREY == 200).all()
    changed = (drawn != 200).any(axis=2)
    assert changed[30:40, 30:50].all()  # mask
    assert changed[50, 20:60].all()  # lower edge of the box
    assert changed[21:49, 20].all()  # left edge of the box
    assert not changed[53:].any()  # nothing below it
    assert not changed[42:47, 25:55].any()  # nothing inside it but mask and label


def test_only_what_is_sure_enough_is_drawn():
    assert (paint(GREY, found(0.3), above=0.31) == GREY).all()
    assert (paint(GREY, found(0.3), above=0.29) != GREY).any()


def test_detections_at_and_beyond_the_border_are_drawn():
    boxes = np.array([[-50, -50, 500, 500], [0, 0, 0, 0], [-3e38, 5, 3e38, 9]], np.float32)

    drawn = paint(GREY, Detections(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.array([5, 7, 900])))

    assert drawn.shape == GREY.shape


def test_lines_are_thicker_in_a_larger_picture():
    boxes = np.array([[100, 500, 900, 900]], np.float32)
    one = Detections(boxes, np.array([0.9], np.float32), np.array([0]))

    widths = [
        (paint(np.full((side, side, 3), 200, np.uint8), one)[700, :500] != 200).any(axis=1).sum()
        for side in (1000, 4000)
    ]

    assert widths == [7, 21]  # with a dark pixel on either side


def test_rungs_are_side_by_side_under_their_names():
    whole = side_by_side({"stock": GREY, "device-numerics": GREY // 2})

    assert whole.shape[1] == 80 + 4 + 80
    assert (whole[-60:, :80] == 200).all() and (whole[-60:, 84:] == 100).all()
    titles = whole[: len(whole) - 60]
    assert (titles[:, :80] > 200).any() and (titles[:, 84:] > 200).any()


def test_one_rung_needs_no_title():
    assert side_by_side({"stock": GREY}) is GREY


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.JPG", b"\xff\xd8"), ("a.jpeg", b"\xff\xd8")]
)
def test_the_suffix_says_the_form(tmp_path, name, start):
    write_picture(tmp_path / name, GREY)

    assert (tmp_path / name).read_bytes().startswith(start)
    assert cv2.imread(str(tmp_path / name)).shape == GREY.shape


@pytest.mark.parametrize(("name", "width"), [("a.gif", 4), ("a.jpg", 70000)])
def test_what_cannot_be_written_is_refused(tmp_path, name, width):
    with pytest.raises(UsageError, match=name):
        write_picture(tmp_path / name, np.zeros((1, width, 3), np.uint8))

    assert not list(tmp_path.iterdir())
