"""The twin of BatchMultiClassNMS against the operator's own semantics, slot by slot and bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ascend.twin.graphs import run_twin

NMS = ops.get("BatchMultiClassNMS")

SEMANTICS = ["framework", "ideal"]

CORNERS = (0, 0.1, 1, 10, 10.5, 20, 21.3, 100, 640.7, 1216, 1500, -5, 3e4, 7e4, np.nan, np.inf, -np.inf)
SCORES = (0, 0.05, 0.05005, 0.3, 0.3, 0.3001, 0.7, 1, -1, np.nan, np.inf)

SHAPES = [  # images, boxes, classes, shared boxes
    (1, 1, 1, 1), (1, 7, 1, 1), (1, 12, 3, 1), (1, 12, 3, 3), (3, 6, 2, 2), (2, 9, 4, 1),
]  # fmt: skip

CASES = [  # shape, score_threshold, iou_threshold, max_size_per_class, max_total_size
    (SHAPES[0], 0.0, 0.5, 1, 1),
    (SHAPES[1], 0.05, 1 / 3, 2, 100),
    (SHAPES[2], 0.0, 0.5, 100, 100),
    (SHAPES[3], 0.05, 0.0, 100, 3),
    (SHAPES[3], 0.05, 1.0, 2, 100),
    (SHAPES[4], 0.0, 1 / 3, 100, 5),
    (SHAPES[5], 0.05, 0.5, 1, 100),
]


def attributes(score=0.05, iou=0.5, per_class=100, total=100):
    return {
        "score_threshold": score,
        "iou_threshold": iou,
        "max_size_per_class": per_class,
        "max_total_size": total,
    }


def agree(semantics, inputs, values, **options):
    expected = NMS.compute(semantics, list(inputs.values()), values)
    found = run_twin("BatchMultiClassNMS", inputs, values, semantics, **options)
    for name, a, b in zip(("boxes", "scores", "classes", "num"), expected, found, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(b, a, err_msg=name)


def odd_inputs(random, shape):
    """Corners that often coincide, and often are no box; scores often equal, not finite or at the threshold."""
    images, boxes, classes, shared = shape
    corners = random.choice(np.array(CORNERS, np.float32), (images, boxes, shared, 4))
    if random.random() < 0.7:
        with np.errstate(invalid="ignore"):
            corners[..., 2:] = corners[..., :2] + np.abs(corners[..., 2:])
    if random.random() < 0.5:
        corners += random.normal(0, 5, corners.shape).astype(np.float32)
    scores = random.choice(np.array(SCORES, np.float32), (images, boxes, classes))
    return {"boxes": corners, "scores": scores}


@pytest.mark.slow
@pytest.mark.parametrize("semantics", SEMANTICS)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), case=st.sampled_from(CASES))
def test_odd_boxes_and_scores(semantics, seed, case):
    shape, *values = case

    agree(semantics, odd_inputs(np.random.default_rng(seed), shape), attributes(*values))


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("given_window", [True, False])
@pytest.mark.parametrize("given_count", [True, False])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES[3:5]))
def test_window_and_number_of_valid_boxes(semantics, given_window, given_count, seed, shape):
    random = np.random.default_rng(seed)
    inputs = odd_inputs(random, shape)
    window = random.choice([0, 5, 15, 30, 700, np.inf], (shape[0], 4)).astype(np.float32)
    count = random.integers(-1, shape[1] + 2, shape[0]).astype(np.int32)

    agree(
        semantics,
        {**inputs, "window": window if given_window else None, "valid": count if given_count else None},
        attributes(),
    )


def crowd(random, count, size=1216):
    """``(count, 4)`` boxes that overlap in groups of eight, some beyond the image."""
    groups = count // 8 + 1
    centre = random.uniform(0, size, (groups, 2)).repeat(8, 0)[:count] + random.normal(0, 6, (count, 2))
    half = np.exp(random.uniform(1, 5, (groups, 2))).repeat(8, 0)[:count] / 2
    return np.concatenate([centre - half, centre + half], 1).astype(np.float32)


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("shape", [(1, 400, 1, 1), (1, 50, 80, 80), (2, 100, 9, 1)])
def test_crowds(semantics, seed, shape):
    """Every image has more survivors than slots, and scores of which many are equal."""
    random = np.random.default_rng(seed)
    images, boxes, classes, shared = shape
    corners = np.stack([crowd(random, boxes * shared) for _ in range(images)])
    corners = corners.reshape(images, boxes, shared, 4)
    scores = (random.integers(0, 100, (images, boxes, classes)) / 128).astype(np.float32)

    agree(semantics, {"boxes": corners, "scores": scores}, attributes(0.3, 0.6, 20, 100))


@pytest.mark.parametrize("opset", range(11, 17))
@pytest.mark.parametrize("semantics", SEMANTICS)
def test_every_opset(semantics, opset):
    random = np.random.default_rng(opset)

    agree(semantics, odd_inputs(random, (2, 9, 4, 1)), attributes(), opset=opset)


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("shape", SHAPES[3:5])
def test_nothing_survives(semantics, shape):
    inputs = odd_inputs(np.random.default_rng(0), shape)
    inputs["scores"] = np.full_like(inputs["scores"], 0.05)

    agree(semantics, inputs, attributes(0.05))


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_one_image_has_all_detections_and_one_none(semantics):
    boxes = np.tile(crowd(np.random.default_rng(0), 16)[None, :, None], (2, 1, 1, 1))
    scores = np.stack([np.zeros((16, 2)), np.full((16, 2), 0.5)]).astype(np.float32)

    agree(semantics, {"boxes": boxes, "scores": scores}, attributes(total=20))


@pytest.mark.parametrize(
    ("semantics", "expected"), [("framework", [(0, 1), (1, 0)]), ("ideal", [(1, 0), (0, 1)])]
)
def test_equal_scores_come_box_by_box_or_class_by_class(semantics, expected):
    boxes = np.array([[[[0, 0, 5, 5]], [[20, 0, 25, 5]]]], np.float32)
    scores = np.array([[[0, 0.5], [0.5, 0]]], np.float32)

    corners, _, kinds, count = run_twin(
        "BatchMultiClassNMS", {"boxes": boxes, "scores": scores}, attributes(total=2), semantics
    )

    assert count == [2]
    found = [(int(x // 20), int(kind)) for x, kind in zip(corners[0, :, 0], kinds[0], strict=True)]
    assert found == expected


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_float16_is_computed_in_float32_and_rounded_back(semantics):
    random = np.random.default_rng(0)
    boxes = crowd(random, 64, 200).astype(np.float16)[None, :, None]
    scores = random.uniform(0, 1, (1, 64, 3)).astype(np.float16)
    window = np.array([[0, 0, 180, 160]], np.float16)
    count = np.array([60], np.int32)

    agree(semantics, {"boxes": boxes, "scores": scores, "window": window, "valid": count}, attributes())


def test_ideal_does_not_clamp_the_union_of_boxes_of_a_millionth_of_a_pixel():
    """Documented: the operator keeps both of two equal boxes of 1e-14 square pixels, the twin keeps one."""
    boxes = np.tile(np.array([0, 0, 1e-7, 1e-7], np.float32), (1, 2, 1, 1))
    scores = np.array([[[0.9], [0.8]]], np.float32)

    assert NMS.compute("ideal", [boxes, scores], attributes())[3] == [2]
    assert run_twin("BatchMultiClassNMS", {"boxes": boxes, "scores": scores}, attributes(), "ideal")[3] == [1]
