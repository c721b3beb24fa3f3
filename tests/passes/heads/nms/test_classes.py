"""How class offsets divide boxes, and labels that do the same."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.candidates.classes import Layout, gap, layout
from convertkit_passes.heads.nms.candidates.labels import Labels, find

from convertkit.api.heads import Refused
from tests.graphtext import show, text
from tests.passes.heads.nms.opened import named, opened

OFFSETS = np.float32([[0, 5], [64, 0], [7, 7]])


def moved(kinds, batch=1):
    """``(B, M, 4)``: the offsets of boxes of these classes."""
    return np.stack([np.tile(OFFSETS[kinds], 2)] * batch)


@pytest.mark.parametrize("kinds", [[0, 1, 2], [2, 0, 1]])
@pytest.mark.parametrize("minor", [True, False])
def test_equal_offsets_are_a_class_and_classes_are_in_the_order_in_which_they_appear(kinds, minor):
    of_boxes = kinds * 2 if minor else np.repeat(kinds, 2)

    found, offsets = layout(moved(of_boxes, batch=2), "blamed")

    assert found == Layout(2, 2, 3, minor)
    assert np.array_equal(offsets, OFFSETS[kinds])


@pytest.mark.parametrize("kinds", [[1, 1, 0, 2], [0, 1, 2, 0, 2, 1], [0, 0, 0, 1, 1, 2]])
def test_classes_of_other_sizes_or_order_are_labels(kinds):
    found, offsets = layout(moved(kinds, batch=2), "blamed")

    order = list(dict.fromkeys(kinds))
    assert (found.batch, found.count, found.classes, found.tensor) == (2, len(kinds), 3, None)
    assert [order[value] for value in found.values] == kinds
    assert np.array_equal(offsets, OFFSETS[order])


def test_one_class_is_minor():
    assert layout(moved([1, 1]), "blamed")[0] == Layout(1, 2, 1, minor=True)


@pytest.mark.parametrize("place", [(0, 1, 2), (0, 1, 3), (1, 1, slice(None))])
def test_refused_where_boxes_are_not_moved_as_a_whole_or_otherwise_in_one_picture(place):
    offsets = moved([0, 1], batch=2)
    offsets[place] += 1

    with pytest.raises(Refused, match="does not move each of them as a whole") as error:
        layout(offsets, "blamed")
    assert error.value.tensor == "blamed"


def test_views_of_a_layout_bring_boxes_and_scores_to_the_classes_last():
    for minor in (True, False):
        found = Layout(1, 2, 3, minor)
        flat = np.arange(6)
        of_class = flat % 3 if minor else flat // 2
        assert (found.scores.do(of_class[None]) == np.arange(3)).all()
        boxes = found.boxes.do(np.repeat(of_class, 4).reshape(1, 6, 4))
        assert boxes.shape == (1, 2, 3, 4)
        assert (boxes == np.arange(3)[:, None]).all()


def test_the_gap_is_the_distance_of_the_two_nearest_along_their_better_axis():
    assert gap(np.float32([[10, 10], [13, 19], [50, 14]])) == 9
    assert gap(np.float32([[0, 0], [-6, 5]])) == 6
    assert gap(np.float32([[0, 0]])) == np.inf


FIXED = Labels(2, 3, 3, values=np.array([2, 0, 2]))
SCORES = np.float32([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])[..., None]


def test_labels_lay_boxes_and_scores_as_one_class():
    assert FIXED.boxes.do(np.zeros((2, 3, 4))).shape == (2, 3, 1, 4)
    assert FIXED.scores.do(np.zeros((2, 3))).shape == (2, 3, 1)


def test_scores_are_spread_to_the_class_of_each_box_and_fed_back():
    spread = FIXED.spread(SCORES, np.random.default_rng(0))

    assert spread.shape == (2, 3, 3)
    assert spread.argmax(-1).tolist() == [[2, 0, 2]] * 2
    assert np.array_equal(spread.sum(-1, keepdims=True), SCORES)
    (fed,) = FIXED.feed(spread)
    assert np.array_equal(fed, SCORES)


def test_labels_that_are_a_tensor_are_drawn_and_fed_too():
    (tensor,) = named(opened("(int64[2,1,30] k) => (int64[2,1,30] y) { y = Identity(k) }"), "k")
    kinds = Labels(2, 30, 3, tensor)
    scores = np.linspace(0.1, 1, 60, dtype=np.float32).reshape(2, 30, 1)

    spread = kinds.spread(scores, np.random.default_rng(0))
    fed, drawn = kinds.feed(spread)

    assert np.array_equal(fed, scores)
    assert drawn.shape == (2, 1, 30)
    assert set(drawn.reshape(-1)) == {0, 1, 2}
    assert not np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(np.take_along_axis(spread, drawn.reshape(2, 30, 1), 2), scores)


def test_the_offset_of_each_class_is_that_of_its_boxes():
    found = FIXED.moved(np.array([[2, 0, 2]] * 2), moved([2, 0, 2], batch=2), "blamed")

    assert np.array_equal(found, [OFFSETS[0], [np.nan, np.nan], OFFSETS[2]], equal_nan=True)
    alone = Labels(1, 1, 1, values=np.array([0])).moved(np.array([[0]]), moved([1]), "blamed")
    assert np.array_equal(alone, OFFSETS[1:2])


@pytest.mark.parametrize("place", [(0, 2, slice(None)), (0, 0, 3), (0, 0, 0), (1, 2, 1), (1, 1, 2)])
def test_refused_where_boxes_of_a_class_are_not_moved_alike(place):
    offsets = moved([2, 0, 2], batch=2)
    offsets[place] += 1

    with pytest.raises(Refused, match="does not move those of a class alike") as error:
        FIXED.moved(np.array([[2, 0, 2]] * 2), offsets, "blamed")
    assert error.value.tensor == "blamed"


def test_constant_labels_are_written_as_a_mask():
    graph = opened("(float[1,3,1] s) => (float[1,3,3] y) { y = Concat <axis = 2> (s, s, s) }")
    (scores,) = named(graph, "s")

    made = Labels(1, 3, 3, values=np.array([2, 0, 2])).emit(graph, scores)
    graph.replace(graph.outputs[0], made)
    graph.tidy()

    assert show(graph.model()) == text(
        """
        (float[1,3,1] s) => (float[1,3,3] y)
        <float[3,3] labels = {0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0}>
        {
            y = Mul (s, labels)
        }
        """
    )


def test_labels_of_a_tensor_are_written_as_a_comparison_with_each_class():
    graph = opened("(float[1,3,1] s, int32[3] k) => (float[1,3,2] y) { y = Concat <axis = 2> (s, s) }")
    scores, kinds = graph.inputs

    made = Labels(1, 3, 2, kinds).emit(graph, scores)
    graph.replace(graph.outputs[0], made)
    graph.tidy()

    assert (tuple(made.shape), made.dtype) == ((1, 3, 2), np.float32)
    assert show(graph.model()) == text(
        """
        (float[1,3,1] s, int32[3] k) => (float[1,3,2] y)
        <int32[2] classes = {0, 1}, int64[3] shape = {1, 3, 1}>
        {
            Reshape_output = Reshape (k, shape)
            Equal_output = Equal (Reshape_output, classes)
            Cast_output = Cast <to = 1> (Equal_output)
            y = Mul (s, Cast_output)
        }
        """
    )


ABOVE = """
    (float[1,6,3] scores, int64[1,6] other) => (float[1,b] offset)
    <float step = {64}, int64 one = {1}, int64 two = {2}>
    {
        kind = ArgMax <axis = 2, keepdims = 0> (scores)
        read = Identity (kind)
        cast = Cast <to = 1> (read)
        offset = Mul (cast, step)
    }
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", ("kind", 3)),
        ("float[1,6,3] scores", "float[1,6,1] scores", ("kind", 1)),
        ("Identity (kind)", "Mod (kind, two)", ("read", 2)),
        ("Identity (kind)", "Sub (kind, one)", ("kind", 3)),  # from -1
        ("Identity (kind)", "Identity (other)", None),  # of any size
        ("Cast <to = 1> (read)", "ReduceMax <axes = [2], keepdims = 0> (scores)", None),  # no integers
        ("Identity (kind)", "ReduceMax <axes = [1], keepdims = 1> (kind)", ("kind", 3)),  # not one each
        ("Identity (kind)", "Add (kind, kind)", ("read", 5)),
    ],
)
def test_labels_are_the_nearest_integers_above_that_are_known_to_count_classes(old, new, found):
    graph = opened(ABOVE.replace(old, new))

    labels = find(graph, named(graph, "offset")[0], 1, 6)

    assert (labels and (labels.tensor.name, labels.classes)) == found
    assert labels is None or (labels.batch, labels.count) == (1, 6)


def test_labels_of_other_or_open_length_are_none():
    for size in ("7", "a"):
        graph = opened(ABOVE.replace("float[1,6", f"float[1,{size}").replace("int64[1,6]", "int64[1,1]"))

        assert find(graph, named(graph, "offset")[0], 1, 6) is None
