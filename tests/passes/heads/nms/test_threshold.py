"""Which boxes filters ahead of an NMS drop by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.candidates import site, sources
from convertkit_passes.heads.nms.candidates.threshold import Lone, highest_dropped, measure, sides

from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import named, opened


@pytest.mark.parametrize("threshold", [0.3, 1e-30, 0.9999999])
@pytest.mark.parametrize("strict", [True, False])
def test_the_highest_that_is_dropped_is_found_to_the_last_bit(threshold, strict):
    limit = np.float32(threshold)

    found = highest_dropped(lambda score: score > limit if strict else score >= limit, 1.0, "scores")

    assert np.float32(found) == (limit if strict else np.nextafter(limit, np.float32(0)))


def test_where_0_is_kept_nothing_is_dropped_and_where_the_top_is_not_nothing_is_kept():
    blamed = named(opened("(float[2] scores) => (float[2] y) { y = Neg (scores) }"), "scores")[0]

    assert highest_dropped(lambda score: True, 1.0, blamed) is None
    assert highest_dropped(lambda score: score > 0, 1.0, blamed) == 0
    assert highest_dropped(lambda score: score >= 0.5, 0.5, blamed) == np.nextafter(
        np.float32(0.5), np.float32(0)
    )
    with pytest.raises(Refused, match=r"a filter ahead drops even a box at 0\.5 of scores") as error:
        highest_dropped(lambda score: score > 0.5, 0.5, blamed)
    assert error.value.tensor == "scores"


GRAPH = """
    (float[6,4] boxes, float[6] logits) => (int64[k,3] selected)
    <float low = {0}, float high = {64}, int64[1] first = {0}, int64[1] all = {-1}, float limit = {0.3},
     int64 c0 = {0}, int64 c1 = {1}, int64 c2 = {2}, int64 c3 = {3}, float width = {4}, float height = {6},
     int64[1] most = {5}, float[1] iou = {0.5}, float top = {0.8},
     float beyond = {1.5}, float[6,1] label = {0, 1, 2, 0, 1, 2}>
    {
        scores = SCORES
        clipped = Clip (boxes, low, high)
        FILTER
        mask = Compress <axis = 0> (clipped, kept)
        passing = Compress <axis = 0> (scores, kept)
        b = Unsqueeze <axes = [0]> (mask)
        s = Unsqueeze <axes = [0, 1]> (passing)
        selected = NonMaxSuppression (b, s, most, iou)
    }
"""
BY_SCORE = "kept = Greater (scores, limit)"
BY_SIZE = """
    x1 = Gather <axis = 1> (clipped, c0)
    y1 = Gather <axis = 1> (clipped, c1)
    x2 = Gather <axis = 1> (clipped, c2)
    y2 = Gather <axis = 1> (clipped, c3)
    w = Sub (x2, x1)
    h = Sub (y2, y1)
    wide = Greater (w, width)
    tall = Greater (h, height)
    kept = And (wide, tall)
"""


def read(scores: str, kept: str, old: str = "#", new: str = ""):
    graph = opened(GRAPH.replace("SCORES", scores).replace("FILTER", kept).replace(old, new))
    (node,) = graph.find("NonMaxSuppression")
    place = site.read(graph, node)
    found = next(sources.candidates(graph, place, None))
    assert found.filtered
    return graph, place, found


@pytest.mark.parametrize(
    ("scores", "kept", "dropped"),
    [
        ("Sigmoid (logits)", BY_SCORE, 0.3),
        ("Clip (logits, low, top)", BY_SCORE, 0.3),
        ("Identity (logits)", BY_SCORE, 0.3),
        ("Clip (logits, low, low)", BY_SCORE, 0.3),
        ("Sigmoid (logits)", BY_SIZE, None),
    ],
)
def test_the_threshold_of_a_filter_is_measured(scores, kept, dropped):
    found = measure(*read(scores, kept))

    assert found == (dropped and pytest.approx(dropped))


def test_scores_go_as_high_as_the_graph_lets_them():
    """A filter that keeps only what is above 0.8 drops every score up to there."""
    kept = BY_SCORE.replace("limit", "top")

    with pytest.raises(Refused, match=r"drops even a box at 0\.8"):
        measure(*read("Clip (logits, low, top)", kept))
    assert measure(*read("Sigmoid (logits)", kept)) == pytest.approx(0.8)


@pytest.mark.parametrize("scores", ["Identity (logits)", "Clip (logits, low, low)"])
def test_scores_go_to_1_where_the_graph_does_not_bound_them_or_only_to_0(scores):
    with pytest.raises(Refused, match="drops even a box at 1 of"):
        measure(*read(scores, BY_SCORE.replace("limit", "beyond")))


def test_a_box_on_which_the_graph_fails_is_dropped():
    """torchvision's offsets are a maximum over no boxes then."""
    offsets = """
        high = ReduceMax <keepdims = 0> (mask)
        few = Compress <axis = 0> (label, kept)
        offset = Mul (few, step)
        moved = Add (mask, offset)
        b = Unsqueeze <axes = [0]> (moved)
    """
    unsqueezed = "b = Unsqueeze <axes = [0]> (mask)"
    more = offsets.replace("offset =", "step = Add (high, beyond) offset =", 1)

    graph, place, found = read("Sigmoid (logits)", BY_SCORE, unsqueezed, more)

    assert found.classes == 3
    assert measure(graph, place, found) == pytest.approx(0.3)


def test_refused_where_a_filter_drops_every_score():
    with pytest.raises(Refused, match="drops even a box at 1 of scores"):
        measure(*read("Sigmoid (logits)", "kept = Less (scores, low)"))


def test_the_sides_of_boxes_that_a_filter_drops_are_measured():
    found = sides(*read("Sigmoid (logits)", BY_SIZE))
    assert (found.tolist(), found.dtype) == ([4, 6], np.float32)
    assert sides(*read("Sigmoid (logits)", BY_SIZE.replace("And", "Or"))) is None
    assert sides(*read("Sigmoid (logits)", BY_SCORE)) is None
    assert (
        sides(*read("Sigmoid (logits)", BY_SIZE + "k = Not (kept)".replace("k", "other", 1))).dtype
        == np.float32
    )
    only = BY_SIZE.replace("kept = And (wide, tall)", "low1 = Less (scores, beyond) kept = And (wide, low1)")
    assert sides(*read("Sigmoid (logits)", only)).tolist() == [4, -1]
    only = BY_SIZE.replace("And (wide, tall)", "And (tall, tall)")
    assert sides(*read("Sigmoid (logits)", only)).tolist() == [-1, 6]


def test_a_box_alone_has_the_score_and_all_others_have_none():
    graph, place, found = read("Sigmoid (logits)", BY_SCORE)

    lone = Lone.of(graph, place, found)

    assert (lone.shape, len(lone.place)) == ((1, 6, 1), 3)
    assert lone.kept(np.float32(0.5))
    assert not lone.kept(np.float32(0.3))
    graph, place, found = read("Sigmoid (logits)", BY_SIZE)
    lone = Lone.of(graph, place, found)
    assert [lone.kept_of(0, np.float32(side)) for side in (4, 4.5)] == [False, True]
    assert [lone.kept_of(1, np.float32(side)) for side in (6, 6.5)] == [False, True]
    assert (lone.boxes[..., 2:] > lone.boxes[..., :2]).all(), "the boxes themselves stay"
