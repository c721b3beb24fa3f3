"""Class offsets that a graph computes, and whether they keep classes apart."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.candidates import offsets
from convertkit_passes.heads.nms.candidates.classes import Layout
from convertkit_passes.heads.nms.candidates.climb import Climbed, climb
from convertkit_passes.heads.nms.candidates.labels import Labels

from convertkit.api.graphs import Bounds
from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import named, opened

WITHIN = Bounds(0.0, 64.0)
BOXES = Climbed("flat", "offset")


def test_offsets_are_spread_over_the_boxes_but_do_not_copy_them():
    assert offsets.spread(np.float32([[1], [2]]), (2, 4), BOXES).tolist() == [[1] * 4, [2] * 4]
    with pytest.raises(Refused, match="copy the boxes") as error:
        offsets.spread(np.zeros((3, 1, 1)), (2, 4), BOXES)
    assert error.value.tensor == "offset"


def two(gap: float) -> np.ndarray:
    return np.array([[0.0, 0.0], [gap, gap]])


def test_classes_as_far_apart_as_boxes_reach_do_not_suppress_each_other():
    offsets.keep_apart(two(64.0), Bounds(-32, 32), BOXES)
    offsets.keep_apart(two(64.0)[:1], Bounds(0, np.inf), BOXES)
    with pytest.raises(Refused, match=r"63\.9 apart, less than the boxes' range -32 to 32") as error:
        offsets.keep_apart(two(63.9), Bounds(-32, 32), BOXES)
    assert error.value.tensor == "offset"
    with pytest.raises(Refused, match="64 apart, and nothing bounds the boxes") as error:
        offsets.keep_apart(two(64.0), Bounds(0, np.inf), BOXES)
    assert error.value.tensor == "flat"


def test_offsets_may_miss_the_range_by_the_rounding_of_the_largest():
    epsilon = float(np.finfo(np.float32).eps)
    far = np.array([[0.0, 0.0], [64.0, 64.0], [1024.0, 1024.0]])
    offsets.keep_apart(far, Bounds(0, 64 * (1 + 15 * epsilon)), BOXES)
    with pytest.raises(Refused, match="64 apart, less than"):
        offsets.keep_apart(far, Bounds(0, 64 * (1 + 17 * epsilon)), BOXES)


GRAPH = """
    (float[6,4] boxes, float[6] logits, float[6,3] classes, int64[6] free, float other) => (float[i,j] out)
    <float one = {1}, float three = {3}, float step = {80}, float zero = {0}, float high = {64}, int64[1] all = {-1},
     float[6,1] kinds = {0, 1, 2, 0, 1, 2}, float[6,1] blocks = {0, 0, 1, 1, 2, 2}, float[1,1] apart = {100},
     int64[2] column = {-1, 1}>
    {
        clipped = Clip (boxes, zero, high)
        scores = Sigmoid (logits)
        label = ArgMax <axis = 1, keepdims = 1> (classes)
        float_label = Cast <to = 1> (label)
        most = ReduceMax <keepdims = 0> (clipped)
        step1 = Add (most, one)
        OFFSET
        moved = Add (clipped, offset)
        out = Neg (moved)
    }
"""


def computed(offset: str, *, within: Bounds = WITHIN, old: str = "", new: str = ""):
    graph = opened(GRAPH.replace("OFFSET", offset).replace(old or "NONE", new))
    moved, scores = named(graph, "moved", "scores")
    boxes = climb(graph, moved, past_offset=True)
    assert boxes.offset.name == "offset"
    return offsets.computed(graph, boxes, Climbed(scores), (1, 6), within)


@pytest.mark.parametrize(
    ("offset", "layout"),
    [("offset = Mul (kinds, step1)", (2, True)), ("offset = Mul (blocks, step1)", (2, False))],
)
def test_offsets_that_grow_with_the_boxes_are_measured(offset, layout):
    found, moved = computed(offset)

    assert found == Layout(1, layout[0], 3, layout[1])
    assert moved[:, 0].tolist() == moved[:, 1].tolist()
    assert moved[0, 0] == 0
    assert moved[2, 0] == 2 * moved[1, 0]
    assert 4 < moved[1, 0] <= 9, "of the smallest of three sizes"


def test_offsets_of_labels_are_measured_for_each_of_them():
    found, moved = computed("offset = Mul (float_label, step1)")

    assert isinstance(found, Labels)
    assert (found.classes, found.tensor.name) == (3, "label")
    assert moved[:, 0] / moved[1, 0] == pytest.approx([0, 1, 2])


def test_more_classes_than_boxes_take_several_runs():
    found, moved = computed(
        "offset = Mul (float_label, step1)", old="float[6,3] classes", new="float[6,8] classes"
    )

    assert found.classes == 8
    assert moved[:, 0] / moved[1, 0] == pytest.approx(np.arange(8))


def test_offsets_that_grow_too_little_are_refused():
    with pytest.raises(Refused, match="less than the boxes' range"):
        computed("half = Div (step1, three) offset = Mul (kinds, half)")


def test_offsets_that_stay_are_held_against_the_whole_range():
    nodes = "none = Mul (most, zero) far = Add (none, step) offset = Mul (kinds, far)"

    assert computed(nodes)[1].tolist() == [[0, 0], [80, 80], [160, 160]]
    assert computed(nodes, within=Bounds(0.0, 80.0))[1][1].tolist() == [80, 80]
    with pytest.raises(Refused, match=r"80 apart, less than the boxes' range 0 to 80\.5"):
        computed(nodes, within=Bounds(0.0, 80.5))


def test_refused_where_nothing_bounds_the_boxes():
    with pytest.raises(Refused, match="its class offsets are computed, and nothing bounds") as error:
        computed("offset = Mul (kinds, step1)", within=Bounds(0.0, np.inf))
    assert error.value.tensor == "clipped"


@pytest.mark.parametrize(
    ("offset", "why", "tensor"),
    [
        ("offset = Mul (kinds, other)", "depend on more than boxes, scores and labels", "other"),
        (
            "l = Mul (float_label, step1) offset = Mul (l, other)",
            "depend on more than boxes, scores and",
            "other",
        ),
        ("few = Reshape (clipped, column) offset = ReduceMax <axes = [0]> (few)", "not one per", None),
    ],
)
def test_refused_where_offsets_are_of_something_else(offset, why, tensor):
    with pytest.raises(Refused, match=why) as error:
        computed(offset)
    assert error.value.tensor == (tensor or "offset")


def test_refused_where_offsets_cannot_be_computed_alone():
    nodes = "rows = Gather <axis = 0> (kinds, free2) offset = Mul (rows, step1)"
    cast = "big = Mul (step1, step) index = Cast <to = 7> (big) free2 = Unsqueeze <axes = [0]> (index) "

    with pytest.raises(Refused, match="cannot be computed on their own") as error:
        computed(cast + nodes)
    assert error.value.tensor == "offset"
