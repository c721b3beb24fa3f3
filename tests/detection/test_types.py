"""Detections keep their arrays together."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.detection.types import Detections, name_of


def test_the_length_is_the_number_of_detections():
    found = Detections(np.zeros((2, 4), np.float32), np.ones(2, np.float32), np.zeros(2, np.int64))

    assert len(found) == 2


@pytest.mark.parametrize(
    "parts",
    [
        (np.zeros((3, 4)), np.ones(2), np.zeros(2)),
        (np.zeros((2, 4)), np.ones(2), np.zeros(3)),
        (np.zeros((2, 4)), np.ones(2), np.zeros(2), ({"size": [1, 1], "counts": b"1"},)),
    ],
)
def test_arrays_of_different_lengths_are_refused(parts):
    with pytest.raises(ValueError):
        Detections(*parts)


def test_a_class_without_a_name_says_that_it_is_a_class():
    assert [name_of(label, ["cat", "dog"]) for label in (0, 1, 2, -1)] == [
        "cat",
        "dog",
        "class 2",
        "class -1",
    ]
