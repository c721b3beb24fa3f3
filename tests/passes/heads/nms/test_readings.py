"""What the experiment reads off the operator's outputs."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.experiment import rounding
from convertkit_passes.heads.nms.experiment.readings import EPSILON, Answer, Reading, count, pictures, read

ANSWER = Answer(
    boxes=np.arange(16, dtype=np.float32).reshape(1, 4, 4),
    scores=np.array([[0.9, 0.8, 0.7, 0.0]], np.float32),
    classes=np.array([[1, 2, 1, 0]], np.float32),
    num=np.array([3], np.int32),
)


@pytest.mark.parametrize(("most", "left"), [(0, 0), (2, 2), (3, 3), (9, 3), (2**62, 3)])
def test_the_best_are_the_first_and_the_other_slots_are_empty(most, left):
    best = ANSWER.best(most)

    assert best.num.tolist() == [left]
    for mine, all_of in (
        (best.boxes, ANSWER.boxes),
        (best.scores, ANSWER.scores),
        (best.classes, ANSWER.classes),
    ):
        assert np.array_equal(mine[:, :left], all_of[:, :left])
        assert not mine[:, max(left, most) :].any()


@pytest.mark.parametrize(("kind", "columns"), [("boxes", 4), ("dets", 5)])
@pytest.mark.parametrize("off", [0.0, 1.0])
def test_boxes_are_compared_to_the_last_bit_and_nothing_else_is(kind, columns, off):
    array = np.zeros((1, 4, columns), np.float32)
    array[..., :4] = ANSWER.boxes
    array[0, 2, 3] += off
    array[0, 3] = -1  # an unused slot

    same = rounding._same(Reading(None, kind, 4, array.shape), array, ANSWER)

    assert same is (off == 0)


@pytest.mark.parametrize(("second", "kind"), [((1, 4, 4), "boxes"), ((1, 6), None), ((1, 15), None)])
def test_what_has_another_number_of_columns_in_one_case_is_nothing(second, kind):
    arrays = [ANSWER.boxes, np.resize(ANSWER.boxes, second).astype(np.float32)]

    found = read(None, arrays, [ANSWER, ANSWER], reach=100.0)

    assert (found and found.kind) == kind


FEWER = Answer(ANSWER.boxes, ANSWER.scores, ANSWER.classes, np.array([2], np.int32)).best(2)
"""A second case, so that tensors may have two lengths."""

TWO = Answer(
    *(np.concatenate([one, one]) for one in (ANSWER.boxes, ANSWER.scores, ANSWER.classes, ANSWER.num))
)
"""Two pictures."""

DETS = ANSWER.rows(4)[..., :5]


def answered(array, *more, reach=0.0):
    arrays = [array, *more]
    return read(None, arrays, [ANSWER, FEWER][: len(arrays)], reach)


def test_each_output_of_the_operator_is_recognized():
    assert answered(ANSWER.boxes) == Reading(None, "boxes", 4, (1, 4, 4), loose=True)
    assert answered(ANSWER.boxes.reshape(4, 4)) == Reading(None, "boxes", 4, (4, 4), loose=True)
    assert answered(ANSWER.scores) == Reading(None, "scores", 4, (1, 4))
    assert answered(DETS) == Reading(None, "dets", 4, (1, 4, 5), loose=True)
    assert answered(ANSWER.classes) == Reading(None, "classes", 4, (1, 4))
    assert read(None, [TWO.scores], [TWO], 0.0) == Reading(None, "scores", 4, (2, 4))


def test_fewer_slots_are_the_first_ones():
    assert answered(ANSWER.boxes[:, :3]) == Reading(None, "boxes", 3, (1, 3, 4))
    assert answered(ANSWER.scores[:, :1]) == Reading(None, "scores", 1, (1, 1))
    assert answered(ANSWER.scores[:, :0]) is None
    assert answered(ANSWER.boxes[:, 1:3]) is None
    assert answered(np.pad(ANSWER.scores, ((0, 0), (0, 1)))) is None, "the operator has no fifth slot"


@pytest.mark.parametrize("dtype", [np.bool_, np.complex64])
def test_what_is_no_number_is_nothing(dtype):
    assert answered(ANSWER.classes.astype(dtype)) is None


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_whole_numbers_are_classes_and_nothing_else(dtype):
    assert answered(ANSWER.classes.astype(dtype)).kind == "classes"
    assert answered(ANSWER.boxes.astype(dtype)) is None


def test_classes_may_be_counted_from_another_number():
    found = answered(ANSWER.classes.astype(np.int64) + 7)

    assert (found.shift, found.loose) == (7, False)
    assert answered(np.int64([[8, 9, 8, 0]])).loose, "an unused slot has another label than its shift"
    assert answered(np.int64([[8, 9, 9, 7]])) is None


@pytest.mark.parametrize(("ulps", "kind"), [(4, "scores"), (5, None)])
def test_scores_are_compared_to_four_roundings_of_1(ulps, kind):
    scores = ANSWER.scores.astype(np.float64)
    scores[0, 0] += ulps * EPSILON * 0.999

    found = answered(scores)

    assert (found and found.kind) == kind


@pytest.mark.parametrize(("ulps", "kind"), [(4, "boxes"), (5, None)])
def test_boxes_are_compared_to_four_roundings_of_what_they_reach(ulps, kind):
    boxes = ANSWER.boxes.astype(np.float64)
    boxes[0, 2, 3] += ulps * EPSILON * 100

    found = answered(boxes, reach=100.0)

    assert (found and found.kind) == kind


def test_classes_are_compared_exactly():
    classes = ANSWER.classes.astype(np.float64)
    classes[0, 1] += EPSILON

    assert answered(classes, reach=100.0) is None


def test_an_unused_slot_is_known_by_its_score():
    scores, dets, boxes = ANSWER.scores.copy(), DETS.copy(), ANSWER.boxes.copy()
    boxes[0, 3] = dets[0, 3, :4] = 9
    assert answered(dets).loose

    scores[0, 3] = dets[0, 3, 4] = 0.01
    assert answered(scores) is None
    assert answered(dets) is None
    assert answered(boxes).loose


def test_where_no_slot_is_ever_used_nothing_is_seen():
    assert read(None, [np.zeros((1, 4), np.float32)], [ANSWER.best(0)], 0.0) is None


def test_a_length_that_follows_the_detections_is_symbolic():
    found = answered(ANSWER.boxes[:, :3], FEWER.boxes[:, :2])

    assert found == Reading(None, "boxes", 3, (1, 3, 4), symbolic=True)
    assert answered(FEWER.scores[:, :2], ANSWER.scores[:, :2]) == Reading(None, "scores", 2, (1, 2))
    assert answered(ANSWER.scores[:, :3], FEWER.scores[:, :3]) == Reading(None, "scores", 3, (1, 3))


def test_some_unused_slots_may_follow_but_no_used_one_may_be_missing():
    assert answered(ANSWER.scores[:, :3], FEWER.scores[:, :4]).total == 4
    assert answered(ANSWER.scores[:, :3], FEWER.scores[:, :1]) is None


def test_the_longest_gives_the_shape():
    found = read(None, [FEWER.scores[:, :2], ANSWER.scores[:, :3]], [FEWER, ANSWER], 0.0)

    assert (found.total, found.shape) == (3, (1, 3))


def test_rows_that_do_not_divide_among_the_pictures_are_nothing():
    assert read(None, [TWO.scores.reshape(-1)[:7]], [TWO], 0.0) is None


@pytest.mark.parametrize(("total", "values"), [(4, (3, 2)), (3, (3, 2)), (2, (2, 2))])
def test_the_number_of_detections_is_at_most_that_of_slots(total, values):
    found = count(None, [np.array([value]) for value in values], [ANSWER, FEWER], total)

    assert found == Reading(None, "num", total, (1,))


@pytest.mark.parametrize(
    "arrays",
    [
        [np.int64([3]), np.int64([3])],
        [np.int64([2]), np.int64([2])],
        [np.int64([3, 3]), np.int64([2])],
        [np.int64([3]), np.int64([2, 2])],
        [np.float32([3]), np.float32([2])],
    ],
)
def test_another_number_is_no_number_of_detections(arrays):
    assert count(None, arrays, [ANSWER, FEWER], 4) is None


def test_the_number_of_detections_of_two_pictures():
    assert count(None, [np.int32([[3], [3]])], [TWO], 4) == Reading(None, "num", 4, (2, 1))
    assert count(None, [np.int32([3, 4])], [TWO], 4) is None


def zeros(*lengths, dtype=np.int64):
    return [np.zeros((length, 1), dtype) for length in lengths]


def test_the_picture_of_each_detection_is_0_of_one_picture():
    assert pictures(None, zeros(3, 2), [ANSWER, FEWER]) == Reading(None, "batch", 3, (3, 1), symbolic=True)
    assert pictures(None, zeros(2, 3), [FEWER, ANSWER]).shape == (3, 1)
    assert pictures(None, zeros(2, 0), [ANSWER, ANSWER.best(0)]).total == 2, "two of three are taken"


def test_as_many_pictures_as_the_operator_has_slots():
    full = Answer(ANSWER.boxes, ANSWER.scores, ANSWER.classes, np.array([4], np.int32))
    more = Answer(ANSWER.boxes, ANSWER.scores, ANSWER.classes, np.array([5], np.int32))

    assert pictures(None, zeros(4, 2), [full, FEWER]).total == 4
    assert pictures(None, zeros(5, 2), [more, FEWER]) is None


@pytest.mark.parametrize(
    ("arrays", "answers"),
    [
        (zeros(3, 2, dtype=np.float32), [ANSWER, FEWER]),
        (zeros(3, 1), [ANSWER, FEWER]),
        (zeros(2, 2), [FEWER, FEWER]),
        (zeros(3, 2), [TWO, TWO]),
        ([np.int64([[0], [1], [0]]), np.zeros((2, 1), np.int64)], [ANSWER, FEWER]),
        ([np.zeros((3, 1), np.int64), np.int64([[0], [1]])], [ANSWER, FEWER]),
    ],
)
def test_other_rows_are_no_pictures(arrays, answers):
    assert pictures(None, arrays, answers) is None
