"""What the experiment reads off the operator's outputs."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.experiment import rounding
from convertkit_passes.heads.nms.experiment.readings import Answer, Reading, read

ANSWER = Answer(
    boxes=np.arange(16, dtype=np.float32).reshape(1, 4, 4),
    scores=np.array([[0.9, 0.8, 0.7, 0.0]], np.float32),
    classes=np.array([[1, 2, 1, 0]], np.float32),
    num=np.array([3], np.int32),
)


@pytest.mark.parametrize(("count", "left"), [(0, 0), (2, 2), (3, 3), (9, 3)])
def test_the_best_are_the_first_and_the_other_slots_are_empty(count, left):
    best = ANSWER.best(count)

    assert best.num.tolist() == [left]
    for mine, all_of in (
        (best.boxes, ANSWER.boxes),
        (best.scores, ANSWER.scores),
        (best.classes, ANSWER.classes),
    ):
        assert np.array_equal(mine[:, :left], all_of[:, :left])
        assert not mine[:, max(left, count) :].any()


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
