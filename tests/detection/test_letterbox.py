"""The letterbox against plain reimplementations of mmcv's calls and of the ModelZoo script."""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.detection.letterbox import letterbox, pad_pixel, placement, unletterbox_boxes
from convertkit.detection.settings import PreprocessSpec
from convertkit.errors import UsageError

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
CORNER = PreprocessSpec(mean=MEAN, std=STD)
CENTER = PreprocessSpec(mean=MEAN, std=STD, placement="center", rounding="floor")

sides = st.integers(1, 90)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def normalised(image, to_rgb=True):
    """mmcv's ``imnormalize``, call by call, with the float32 mean and std of mmdet's ``Normalize``."""
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    pixels = image.astype(np.float32)
    if to_rgb:
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, pixels)
    cv2.subtract(pixels, np.float64(mean.reshape(1, -1)), pixels)
    cv2.multiply(pixels, 1 / np.float64(std.reshape(1, -1)), pixels)
    return pixels


def mmdet_test_pipeline(image, edge):
    height, width = image.shape[:2]
    scale = min(edge / max(height, width), edge / min(height, width))
    size = max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))
    pixels = normalised(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))
    pad = edge - size[1], edge - size[0]
    padded = cv2.copyMakeBorder(pixels, 0, pad[0], 0, pad[1], cv2.BORDER_CONSTANT, value=0)
    return np.ascontiguousarray(padded.transpose(2, 0, 1))[None]


def modelzoo_script(image, canvas_height, canvas_width):
    height, width = image.shape[:2]
    scale = min(canvas_width / width, canvas_height / height)
    size = max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
    pixels = normalised(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))
    left, top = (canvas_width - size[0]) // 2, (canvas_height - size[1]) // 2
    bottom, right = canvas_height - size[1] - top, canvas_width - size[0] - left
    padded = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    return np.ascontiguousarray(padded.transpose(2, 0, 1))[None]


@given(sides, sides, st.integers(1, 96))
@settings(deadline=None, max_examples=60)
def test_corner_and_nearest_give_the_bits_of_mmdet(height, width, edge):
    image = noise(height, width)

    tensor, _ = letterbox(image, (edge, edge), CORNER)

    np.testing.assert_array_equal(tensor, mmdet_test_pipeline(image, edge))


@given(sides, sides, st.integers(1, 96), st.integers(1, 96))
@settings(deadline=None, max_examples=60)
def test_center_and_floor_give_the_bits_of_the_modelzoo_script(height, width, canvas_height, canvas_width):
    image = noise(height, width)

    tensor, _ = letterbox(image, (canvas_height, canvas_width), CENTER)

    np.testing.assert_array_equal(tensor, modelzoo_script(image, canvas_height, canvas_width))


def test_the_tensor_is_what_a_graph_takes():
    tensor, place = letterbox(noise(30, 40), (64, 48), CORNER)

    assert tensor.shape == (1, 3, 64, 48)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert (place.resized_height, place.resized_width) == (36, 48)


def test_bgr_networks_get_their_channels_unswapped():
    image = noise(8, 8)

    tensor, _ = letterbox(image, (8, 8), PreprocessSpec(mean=MEAN, std=STD, to_rgb=False))

    np.testing.assert_array_equal(tensor[0], normalised(image, to_rgb=False).transpose(2, 0, 1))


def test_the_pad_value_fills_only_what_the_image_leaves():
    spec = PreprocessSpec(mean=MEAN, std=STD, placement="center", pad_value=-9.0)

    tensor, place = letterbox(noise(10, 20), (20, 20), spec)

    assert (place.pad_top, place.pad_left) == (5, 0)
    assert (tensor[:, :, :5] == -9.0).all()
    assert (tensor[:, :, 15:] == -9.0).all()
    assert (tensor[:, :, 5:15] > -9.0).all()


@pytest.mark.parametrize("to_rgb", [True, False])
def test_padding_of_each_channel_is_in_the_networks_order(to_rgb):
    grey = tuple((114 - mean) / std for mean, std in zip(MEAN, STD, strict=True))
    spec = PreprocessSpec(mean=MEAN, std=STD, to_rgb=to_rgb, pad_value=grey)

    tensor, _ = letterbox(noise(4, 8), (8, 8), spec)
    pixels, _ = letterbox(noise(4, 8), (8, 8), on_target(to_rgb=to_rgb, pad_value=grey))

    np.testing.assert_array_equal(tensor[0, :, 7, 0], np.float32(grey))
    np.testing.assert_array_equal(pixels[0, 7, 0], [114, 114, 114])


@pytest.mark.parametrize(
    ("value", "said"),
    [([1.0, 2.0], "length >= 3"), ([1, 2, 3, 4], "length <= 3"), ([0, 1e7, 0], "<= 1000000")],
)
def test_padding_is_one_number_or_three(value, said):
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"mean": MEAN, "std": STD, "pad_value": value}, PreprocessSpec)


def on_target(**changes):
    return PreprocessSpec(mean=MEAN, std=STD, normalize="target", **changes)


@given(
    sides, sides, st.integers(1, 96), st.integers(1, 96), st.sampled_from(["corner", "center"]), st.booleans()
)
@settings(deadline=None, max_examples=60)
def test_bytes_normalised_later_are_what_the_host_gives(height, width, rows, columns, where, to_rgb):
    image, spec = noise(height, width), on_target(placement=where, to_rgb=to_rgb)

    pixels, place = letterbox(image, (rows, columns), spec)
    tensor, same = letterbox(image, (rows, columns), spec.on_host())

    assert (pixels.shape, pixels.dtype, pixels.flags.c_contiguous) == ((1, rows, columns, 3), np.uint8, True)
    assert place == same
    later = normalised(pixels[0], to_rgb).transpose(2, 0, 1)
    inside = np.zeros((rows, columns), bool)
    inside[place.pad_top :, place.pad_left :][: place.resized_height, : place.resized_width] = True
    np.testing.assert_array_equal(later[:, inside], tensor[0][:, inside])
    assert np.abs(later[:, ~inside]).max(initial=0) <= 0.47 / 57.375 + 1e-6


def test_padding_is_the_pixel_nearest_to_the_mean_in_the_networks_order():
    assert pad_pixel(on_target()) == (124, 116, 104)

    pixels, _ = letterbox(noise(4, 8), (8, 8), on_target())

    np.testing.assert_array_equal(pixels[0, 7, 0], [104, 116, 124])  # BGR


def test_a_pad_value_that_no_pixel_has_is_refused():
    with pytest.raises(
        UsageError, match=r"pad_value -9 is pixel value -401\.9, outside 0\.\.255 .*normalize: host"
    ):
        letterbox(noise(4, 8), (8, 8), on_target(pad_value=-9.0))


@given(sides, sides, st.integers(1, 96), st.integers(1, 96), st.sampled_from([CORNER, CENTER]))
def test_a_image_never_leaves_the_canvas_nor_vanishes(height, width, canvas_height, canvas_width, spec):
    place = placement(height, width, (canvas_height, canvas_width), spec)

    assert 1 <= place.resized_height <= canvas_height - place.pad_top
    assert 1 <= place.resized_width <= canvas_width - place.pad_left
    assert min(place.pad_left, place.pad_top) >= 0


@given(sides, sides, st.sampled_from([CORNER, CENTER]), st.integers(0, 2**32 - 1))
def test_boxes_find_the_way_back(height, width, spec, seed):
    place = placement(height, width, (80, 64), spec)
    box = np.random.default_rng(seed).random((3, 4), np.float32) * np.float32(60)
    scale = np.array([place.scale_x, place.scale_y] * 2)
    pad = np.array([place.pad_left, place.pad_top] * 2)

    found = unletterbox_boxes((box * scale + pad).astype(np.float32), place)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, box, rtol=1e-5, atol=64e-5 / scale.min())


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_photo_is_refused(image):
    with pytest.raises(UsageError, match="H, W, 3"):
        letterbox(image, (8, 8), CORNER)
