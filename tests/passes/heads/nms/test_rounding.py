"""The rounding that class offsets leave in boxes: whether the graph has it, and where it is taken off."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.experiment import rounding
from convertkit_passes.heads.nms.experiment.readings import Answer, Reading

from tests.passes.heads.nms.opened import named, opened

MOVED = """
    (float[1,6,3,4] boxes, float[4] other) => (float[a,b,c,d] y)
    <float[3,4] offsets = {1, 1, 1, 1, 65, 65, 65, 65, 129, 129, 129, 129}, float[1,1] one = {5}>
    {
        there = Add (boxes, offsets)
        back = Sub (there, offsets)
        y = Neg (back)
    }
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", True),
        ("Sub (there, offsets)", "Sub (there, one)", False),
        ("Add (boxes, offsets)", "Mul (boxes, offsets)", False),
        ("Sub (there, offsets)", "Add (there, offsets)", False),
        ("Sub (there, offsets)", "Sub (there, other)", False),
        ("there = Add (boxes, offsets)", "there = Identity (boxes)", False),
        ("Sub (there, offsets)", "Sub (boxes, offsets)", False),
    ],
)
def test_there_and_back_by_the_same_constants(old, new, found):
    graph = opened(MOVED.replace(old, new) if old else MOVED)
    boxes, back = named(graph, "boxes", "back")

    assert rounding._origin(back) is (boxes if found else None)
    assert rounding._origin(boxes) is None


@pytest.mark.parametrize(
    ("offsets", "shape", "fits"),
    [
        (np.ones((3, 4)), (1, 6, 3, 4), True),
        (np.ones((3, 1)), (1, 6, 3, 4), True),
        (np.ones((6, 1, 1)), (1, 6, 3, 4), True),
        (np.ones((1, 6, 3, 4)), (1, 6, 3, 4), True),
        (np.ones((1, 1, 6, 3, 4)), (1, 6, 3, 4), False),
        (np.ones((2, 4)), (1, 6, 1, 4), False),
        (np.ones((0, 4)), (1, 6, 3, 4), False),
        (np.ones((3, 4)), None, False),
        (np.array([1, np.inf]), (2,), False),
        (np.float32(1), (2,), True),
    ],
)
def test_offsets_fit_where_they_leave_the_shape_and_are_numbers(offsets, shape, fits):
    graph = opened("(float[2] x) => (float[2] y) { y = Neg (x) }")
    (x,) = named(graph, "x")
    x.shape = shape

    assert rounding._fits(np.asarray(offsets), x) is fits


def test_there_and_back_is_written_in_two_operations():
    graph = opened("(float[1,6,3,4] boxes) => (float[1,6,3,4] y) { y = Neg (boxes) }")
    (boxes,) = named(graph, "boxes")

    made = rounding.write(graph, boxes, np.arange(12).reshape(3, 4))

    assert rounding._origin(made) is boxes
    assert [node.op for node in graph.nodes[1:]] == ["Add", "Sub"]
    assert {(node.outputs[0].dtype, tuple(node.outputs[0].shape)) for node in graph.nodes[1:]} == {
        (np.dtype(np.float32), (1, 6, 3, 4))
    }
    assert made.inputs[0].inputs[1].values.dtype == np.float32


TWO = Answer(
    boxes=np.arange(32, dtype=np.float32).reshape(2, 4, 4),
    scores=np.float32([[0.9, 0.8, 0.7, 0], [0.9, 0, 0, 0]]),
    classes=np.zeros((2, 4), np.float32),
    num=np.array([3, 1], np.int32),
)


@pytest.mark.parametrize(
    ("place", "same"), [((0, 2, 3), False), ((0, 3, 0), True), ((1, 0, 0), False), ((1, 1, 0), True)]
)
@pytest.mark.parametrize("total", [3, 4])
def test_used_slots_are_compared_picture_by_picture(place, same, total):
    array = TWO.boxes.copy()
    array[place] += 1
    array = array[:, : max(total, place[1] + 1)]

    assert rounding._same(Reading(None, "boxes", total, array.shape), array, TWO) is same


CORNERS = np.float32([[[1, 2, 5, 7], [10, 20, 30, 40]], [[3, 3, 8, 9], [40, 5, 50, 15]]])[None]
"""``(1, 2, 2, 4)``: two boxes of two classes, on a grid."""


class Trial:
    """An experiment on a graph that gives ``(1, 4, 4)`` boxes as they are, or rounded by offsets."""

    def __init__(self, offsets, *, rounds: bool = True, shared: int = 2, fails: bool = False) -> None:
        self.sources = SimpleNamespace(offsets=offsets, boxes=SimpleNamespace(shape=(1, 2, shared, 4)))
        self.rounds, self.fails = rounds, fails
        self.seen: list[probes.Case] = []

    def cases(self):
        return [
            probes.Case("apart", CORNERS, np.zeros((1, 2, 2))),
            probes.Case("other", CORNERS * 0, np.zeros((1, 2, 2))),
        ]

    def run_on(self, tensors, case):
        self.seen.append(case)
        moved = np.concatenate([self.sources.offsets] * 2, -1).astype(np.float32)
        boxes = (case.boxes + moved) - moved if self.rounds else case.boxes
        return None if self.fails else [boxes.reshape(1, 4, 4) for _ in tensors]

    def answer(self, case):
        return Answer(case.boxes.reshape(1, 4, 4), np.ones((1, 4)), np.zeros((1, 4)), np.array([4]))


BOXES = Reading(SimpleNamespace(), "boxes", 4, (1, 4, 4))
SCORES = Reading(SimpleNamespace(), "scores", 4, (1, 4))
FAR = np.array([[1.0, 2.0], [24000.0, 3.0]])


def test_rounding_that_all_boxes_carry_is_found():
    trial = Trial(FAR)

    found = rounding.found(trial, [SCORES, BOXES, BOXES])

    assert found.tolist() == [[1, 2, 1, 2], [24000, 3, 24000, 3]]
    assert found.dtype == np.float32
    (case,) = trial.seen
    beside = case.boxes - CORNERS
    assert (beside >= 0).all()
    assert 0.5 / 64 < beside.max() < 1 / 64
    assert len(np.unique(beside)) == beside.size


@pytest.mark.parametrize(
    ("trial", "chosen"),
    [
        (Trial(None), [BOXES]),
        (Trial(FAR), [SCORES]),
        (Trial(FAR, shared=1), [BOXES]),
        (Trial(FAR, rounds=False), [BOXES]),
        (Trial(FAR, fails=True), [BOXES]),
        (Trial(np.zeros((2, 2))), [BOXES]),
    ],
)
def test_boxes_that_carry_none(trial, chosen):
    assert rounding.found(trial, chosen) is None
