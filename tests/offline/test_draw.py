from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pycocotools.mask as mask_utils
import pytest

from convertkit.detection.types import Detections
from convertkit.offline.draw import paint
from tests.conftest import MASKRCNN


def found(score=0.9):
    inside = np.zeros((60, 80), np.uint8, order="F")
    inside[30:40, 30:50] = 1
    boxes = np.array([[20, 20, 60, 50]], np.float32)
    return Detections(boxes, np.array([score], np.float32), np.array([1]), (mask_utils.encode(inside),))


def test_boxes_masks_and_labels_are_where_they_belong():
    pixels = np.full((60, 80, 3), 200, np.uint8)

    drawn = paint(pixels, found(), ["cup", "bowl"])

    assert (pixels == 200).all()
    changed = (drawn != 200).any(axis=2)
    assert changed[30:40, 30:50].all()  # mask
    assert changed[50, 20:60].all()  # lower edge of the box
    assert changed[21:49, 20].all()  # left edge of the box
    assert not changed[53:].any()  # nothing below it
    assert not changed[42:47, 25:55].any()  # nothing inside it but mask and label


def test_only_what_is_sure_enough_is_drawn():
    pixels = np.full((60, 80, 3), 200, np.uint8)

    assert (paint(pixels, found(0.3), above=0.31) == pixels).all()
    assert (paint(pixels, found(0.3), above=0.29) != pixels).any()


def test_detections_at_and_beyond_the_border_are_drawn():
    pixels = np.full((60, 80, 3), 200, np.uint8)
    boxes = np.array([[-50, -50, 500, 500], [0, 0, 0, 0]], np.float32)

    drawn = paint(pixels, Detections(boxes, np.array([0.9, 0.8], np.float32), np.array([5, 7])))

    assert drawn.shape == pixels.shape


@pytest.mark.slow
def test_postprocess_draws_every_photo(cli, photos, detector, ais_bench, stems, scenes):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")

    done = cli("postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector, "--draw", "drawn")

    assert done.code == 0, done.err
    assert sorted(path.name for path in Path("drawn").iterdir()) == sorted(f"{stem}.jpg" for stem in stems)
    for stem in stems:
        before = cv2.imread(str(next((scenes / "images").glob(f"{stem}.*"))))
        after = cv2.imread(str(Path("drawn", f"{stem}.jpg")))
        assert after.shape == before.shape
        assert (np.abs(after.astype(int) - before) > 40).any(axis=2).mean() > 0.01


def test_photos_that_have_moved_are_named(cli, tmp_path, photos, detector, ais_bench):
    cli("preprocess", MASKRCNN, *photos, "--artifact", detector, "-o", "pre")
    ais_bench("--model", detector / "model.onnx", "--input", "pre", "--output", "out")

    done = cli(
        "postprocess", MASKRCNN, "out", "-i", "pre", "--artifact", detector, "--draw", "d", "--images", "."
    )

    assert done.code == 2
    assert "no such file (say where it is with --images)" in done.err
