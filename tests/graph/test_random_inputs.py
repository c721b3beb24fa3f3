"""Sizes that a graph leaves open, and values, are drawn so that the graph runs and the draw tells something."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.errors import GraphError
from convertkit.graph.random_inputs import random_inputs, random_sample
from tests.graphtext import parse

NECK = """
(float[batch, 3, height, width] x) => (float[batch, 6, height, width] y)
<float[4] s = {{1, 1, {stride}, {stride}}}> {{
  d = MaxPool <kernel_shape = [{stride}, {stride}], strides = [{stride}, {stride}], ceil_mode = 1> (x)
  u = Resize <mode = "nearest"> (d, , s)
  y = Concat <axis = 1> (x, u)
}}
"""

PYRAMID = """
(float[n, 8, {fine}] fine, float[n, 8, {coarse}] coarse) => (float[n, 8, a, b] y) <float[4] s = {{1, 1, 2, 2}}> {{
  u = Resize <mode = "nearest"> (coarse, , s)
  y = Add (fine, u)
}}
"""


@pytest.mark.parametrize("stride", [2, 32])
def test_a_image_s_sizes_are_multiples_of_32_and_tell_rows_from_columns(stride: int) -> None:
    found = random_sample(parse(NECK.format(stride=stride), opset=17), 0)

    assert found.sizes == {"batch": 1, "height": 64, "width": 96}
    assert found.arrays["x"].shape == (1, 3, 64, 96)
    assert found.guessed == "batch = 1, height = 64, width = 96"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fine", "coarse"),
    [("h0, w0", "h1, w1"), ("H, W", "Hhalf, Whalf"), ("s0, s1", "s2, s3"), ("?, ?", "?, ?")],
)
def test_inputs_of_a_pyramid_get_sizes_that_halve(fine: str, coarse: str) -> None:
    found = random_sample(parse(PYRAMID.format(fine=fine, coarse=coarse), opset=17), 0).arrays

    assert found["fine"].shape[2:] == tuple(2 * size for size in found["coarse"].shape[2:])


def test_a_symbol_has_one_size_in_all_inputs() -> None:
    found = random_inputs(parse("(float[k, 8] a, float[8, k] b) => (float[k, k] y) { y = MatMul (a, b) }"), 0)

    assert found["a"].shape == found["b"].shape[::-1]


def test_channels_may_come_last() -> None:
    text = """(uint8[batch, height, width, c] x) => (float[a, b, d, e] y) {
      f = Cast <to = 1> (x)
      y = Transpose <perm = [0, 3, 1, 2]> (f)
    }"""

    assert random_sample(parse(text.replace("batch, height, width, c", "?, ?, ?, 3")), 0).arrays[
        "x"
    ].shape == (1, 64, 96, 3)
    assert random_inputs(parse(text), 0)["x"].max() > 200  # an image's bytes, not 0 and 1


def test_a_size_that_has_to_fit_a_constant_is_found() -> None:
    text = "(float[batch, words, 4] x) => (float[batch, words, 4] y) <float[1, 77, 4] p = {%s}> { y = Add (x, p) }"
    model = parse(text % ", ".join(["0"] * 308))

    assert random_sample(model, 0).sizes == {"batch": 1, "words": 77}


ROI = """
(float[1, 2, 32, 32] f, float[{rois}] {name}) => (float[k, 2, 3, 3] y)
<int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[1] five = {{5}}, int64 column = {{0}}> {{
  boxes = Slice ({name}, one, five, one)
  number = Gather <axis = 1> ({name}, column)
  image = Cast <to = 7> (number)
  y = RoiAlign <output_height = 3, output_width = 3, sampling_ratio = 2> (f, boxes, image)
}}
"""


@pytest.mark.parametrize("rois", ["16, 5", "num_rois, 5", "K, 5"])
@pytest.mark.parametrize("name", ["rois", "x"])
def test_rois_are_boxes_of_the_first_image(rois: str, name: str) -> None:
    found = random_inputs(parse(ROI.format(rois=rois, name=name)), 0)[name]

    assert not found[:, 0].any()
    assert (found[:, 3:] > found[:, 1:3]).all()
    assert len(found) > 1


def test_numbers_of_images_are_zero() -> None:
    text = """(float[1, 2, 32, 32] f, float[k, 4] corners, int64[k] which) => (float[k, 2, 3, 3] y) {
      y = RoiAlign <output_height = 3, output_width = 3, sampling_ratio = 2> (f, corners, which)
    }"""

    found = random_inputs(parse(text), 0)

    assert not found["which"].any()
    assert (found["corners"][:, 2:] > found["corners"][:, :2]).all()


@pytest.mark.parametrize(("rows", "most"), [(3, 2), (1, 0)])
def test_positions_lie_in_the_constant_they_choose_from(rows: int, most: int) -> None:
    values = ", ".join(["0"] * rows * 2)
    text = f"(int64[64] ids) => (float[64, 2] y) <float[{rows}, 2] table = {{{values}}}> {{ y = Gather (table, ids) }}"

    found = random_inputs(parse(text), 0)["ids"]

    assert (found.min(), found.max()) == (0, most)


def test_positions_in_what_is_computed_are_tried_down_to_zero() -> None:
    text = "(float[1, 4] x, int64[8] ids) => (float[8, 4] y) { r = Relu (x) y = Gather (r, ids) }"

    assert not random_inputs(parse(text), 0)["ids"].any()


def test_booleans_are_mixed() -> None:
    for seed in range(8):
        found = random_inputs(parse("(bool[2] m) => (bool[2] y) { y = Not (m) }"), seed)["m"]
        assert sorted(found) == [False, True]


def test_the_same_seed_gives_the_same_values() -> None:
    model = parse(NECK.format(stride=2), opset=17)

    assert np.array_equal(random_inputs(model, 3)["x"], random_inputs(model, 3)["x"])
    assert not np.array_equal(random_inputs(model, 3)["x"], random_inputs(model, 4)["x"])


def test_where_nothing_fits_the_line_says_what_was_tried_and_the_way_out() -> None:
    text = (
        "(float[batch, seq] x) => (float[5, 1009] y) <int64[2] shape = {5, 1009}> { y = Reshape (x, shape) }"
    )

    with pytest.raises(
        GraphError, match=r"with any of \d+ guesses for its open sizes batch, seq; first .*Re"
    ) as caught:
        random_inputs(parse(text), 0)

    assert "--inputs FILE.npz" in str(caught.value)
    assert "\n" not in str(caught.value)
