"""The RoIs that an extractor is asked about: which they are, and that they tell what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.roi.pooling import Pooling
from convertkit_passes.heads.roi.rois import moved, questions

MAPS = ((2, 1, 24, 32), (2, 1, 12, 16))

ADAPTIVE = """
    1 63.903 5.2364 79.9034 21.2368 1 0
    1 17.7582 35.8719 33.7578 51.8714 0 0
    1 47.0855 26.9766 58.4026 49.6108 1 0
    1 15.481 11.6272 43.1855 20.862 0 0
    1 57.0723 16.2268 73.2323 32.3868 1 0
    0 7.4838 24.6499 34.9195 33.7952 0 0
    1 89.2725 21.4829 92.8286 67.6213 0 1
    0 33.3759 -32.6657 40.5857 77.7521 1 1
    0 16.8593 11.5125 19.1694 46.1504 0 1
    0 5.66 91.0615 10.5819 93.3469 0 1
    0 19.9989 66.6587 33.612 76.6102 0 0
    0 13.0104 60.9821 73.1767 79.9002 1 0
    0 66.8222 4.9287 70.3796 17.6789 0 1
    1 35.334 29.9232 84.9948 75.7996 1 0
    0 116.6451 71.0795 122.7964 77.9648 0 0
    0 106.5258 28.2502 122.8813 83.2859 1 0
    1 96.8891 45.8824 103.2526 50.1829 0 0
    0 55.3276 6.0773 100.9443 23.2371 1 0
    1 95.1164 44.4342 101.6249 49.4642 0 0
    1 104.6662 13.6002 121.1711 45.6987 1 0
    0 2.4751 40.7213 21.044 47.9577 0 0
    1 -4.3355 36.7944 19.5789 60.0875 1 0
    1 43.1031 75.4759 51.4599 83.5842 0 0
    0 0 0 0 0 0 1
"""

OF_IMAGE_1 = """
    1 21.4468 -6.1041 37.4473 9.8964 1 0
    1 17.8492 8.2498 33.8487 24.2493 0 0
    1 15.895 6.7156 27.2121 29.3498 1 0
    1 4.632 27.054 32.3366 36.2888 0 0
    1 10.6447 4.097 26.8047 20.257 1 0
    1 20.551 14.6187 47.9867 23.7639 0 0
    1 30.6996 0.7836 34.2557 46.922 0 1
    1 44.9583 -84.0159 52.1681 26.402 1 1
    1 37.3308 6.0922 39.6409 40.73 0 1
    1 50.882 26.8124 55.8039 29.0979 0 1
    1 36.9014 29.1477 50.5145 39.0992 0 0
    1 2.3073 21.1273 62.4735 40.0453 1 0
    1 17.3842 30.0328 20.9416 42.7829 0 1
    1 11.2242 0.9522 60.885 46.8286 1 0
    1 17.8868 15.1178 24.038 22.0032 0 0
    1 59.8488 -6.5249 76.2042 48.5109 1 0
    1 12.0048 8.8816 18.3683 13.182 0 0
    1 9.9272 8.7527 55.5439 25.9124 1 0
    1 33.8824 12.0049 40.3908 17.0349 0 0
    1 47.4601 4.9779 63.965 37.0764 1 0
    1 27.7847 6.7086 46.3537 13.9451 0 0
    1 1.3586 24.0075 25.273 47.3006 1 0
    1 10.3938 30.9027 18.7506 39.011 0 0
    1 0 0 0 0 0 1
"""
"""Image, x1 y1 x2 y2, level, and whether it is smaller than a feature pixel."""


@pytest.mark.parametrize(
    ("pooling", "order", "image", "wanted"),
    [
        (Pooling((), MAPS, (0.25, 0.125), (2, 1), 0), (0, 1), None, ADAPTIVE),
        (Pooling((), MAPS, (0.125, 0.25), (2, 1), 2), (1, 0), 1, OF_IMAGE_1),
    ],
)
def test_the_questions_are_the_same_in_every_run(
    pooling: Pooling, order: tuple[int, ...], image: int | None, wanted: str
) -> None:
    asked = questions(pooling, 8, order, image, 24)

    table = np.array([line.split() for line in wanted.strip().splitlines()], float)
    np.testing.assert_allclose(asked.rois, table[:, :5], atol=1e-3)
    np.testing.assert_array_equal(asked.level, table[:, 5])
    np.testing.assert_array_equal(asked.small, table[:, 6])


@pytest.mark.parametrize("count", [64, 256])
def test_they_are_of_every_kind(count: int) -> None:
    strides = np.array([4, 8, 16, 32])
    maps = tuple((3, 1, 1216 // stride, 800 // stride) for stride in strides)

    asked = questions(Pooling((), maps, tuple(1 / strides), (7, 7), 0), 56, (0, 1, 2, 3), None, count)

    sides = asked.rois[:, 3:].astype(np.float64) - asked.rois[:, 1:3]
    scale = np.sqrt(sides.prod(axis=1))
    used = scale > 0
    assert asked.rois.dtype == np.float32 and set(asked.rois[:, 0]) == {0, 1, 2}
    assert not used[-(count // 16) :].any() and used.sum() >= count - count // 16 - 1
    np.testing.assert_array_equal(asked.level, np.searchsorted([112, 224, 448], scale, side="right"))
    np.testing.assert_array_equal(asked.small, sides.min(axis=1) < strides[asked.level])
    assert (asked.rois[:, 1] < 800).all() and (asked.rois[:, 2] < 1216).all()
    assert asked.small[used].sum() >= count // 8
    assert 4 * 448 >= scale.max() > 448 and 0 < scale[used].min() < 8


def test_their_corners_have_few_bits() -> None:
    """Shifted by half a feature pixel and divided by a stride they are still exact."""
    asked = questions(Pooling((), MAPS, (0.25, 0.125), (2, 1), 0), 8, (0, 1), None, 256)

    for corners in asked.rois[:, 1:].astype(np.float64):
        step = 2.0 ** (np.ceil(np.log2(np.abs(corners).max() + 1)) - 22)
        assert (corners / step == np.round(corners / step)).all()
    finer = asked.rois[:, 1:].astype(np.float64) * 2**16
    assert (finer != np.round(finer)).any()


def test_moved_rois_are_as_large_as_before() -> None:
    rois = np.array([[1, 2, 3, 10, 20]], np.float32)

    shifted = moved(rois)

    np.testing.assert_array_equal(shifted, [[1, 2.0625, 3.046875, 10.0625, 20.046875]])
    np.testing.assert_array_equal(rois, [[1, 2, 3, 10, 20]])
