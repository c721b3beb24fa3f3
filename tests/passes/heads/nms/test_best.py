"""A filter and the best of what it takes, by running it."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.filters import best

from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import opened

GRAPH = """
    (float[24,4] boxes, float[24] logits, float[24] other, float[9,4] few) => (float[a] out, float[b] y)
    <float limit = {0.3}, int64[1] k = {8}, int64[1] zero = {0}, int64[1] one = {1}, int64 single = {1},
     float low = {0}, float high = {1}, float most = {0.75}>
    {
        scores = Sigmoid (logits)
        mask = Greater (scores, limit)
        at = NonZero (mask)
        passing = Transpose <perm = [1, 0]> (at)
        kept = GatherND (scores, passing)
        places = Squeeze <axes = [1]> (passing)
        filtered = GatherND (boxes, passing)
        turned = Transpose <perm = [1, 0]> (filtered)
        doubled = Add (filtered, filtered)
        wrong = Add (places, one)
        n = Shape (kept)
        both = Concat <axis = 0> (n, k)
        least = ReduceMin <axes = [0], keepdims = 1> (both)
        top, where = TopK (kept, least)
        place = Gather (places, where)
        rows = Gather (boxes, place)
        corners = Gather (filtered, where)
        out = Neg (top)
        y = Cast <to = 1> (place)
    }
"""


def read(old: str = "", new: str = "") -> best.Best:
    graph = opened(GRAPH.replace(old, new) if old else GRAPH)
    (node,) = graph.find("TopK")
    return best.read(graph, node)


def test_the_best_of_the_scores_above_a_threshold():
    found = read()

    assert (found.scores.name, found.count, found.node.op) == ("scores", 8, "TopK")
    assert found.threshold == np.float32(0.3)
    assert [(item.tensor.name, item.source and item.source.name) for item in found.gathered] == [
        ("place", None),
        ("corners", "boxes"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "count", "threshold"),
    [
        ("limit = {0.3}", "limit = {0}", 8, 0),
        ("k = {8}", "k = {24}", 24, 0.3),
        ("k = {8}", "k = {1}", 1, 0.3),
        (
            "mask = Greater (scores, limit)",
            "under = Less (scores, limit) mask = Not (under)",
            8,
            np.nextafter(0.3, 0),
        ),
        ("TopK (", "TopK <axis = 0> (", 8, 0.3),
        ("Gather (filtered, where)", "Gather <axis = 0> (filtered, where)", 8, 0.3),
        ("Sigmoid (logits)", "Clip (logits, low, most)", 8, 0.3),
        ("Sigmoid (logits)", "Identity (logits)", 8, 0.3),
    ],
)
def test_other_filters_are_the_best_too(old, new, count, threshold):
    found = read(old, new)

    assert found.count == count
    assert found.threshold == pytest.approx(threshold, rel=1e-7)


@pytest.mark.parametrize(
    ("old", "new", "why", "tensor"),
    [
        ("limit = {0.3}", "limit = {-1}", "lets every score pass", "scores"),
        ("limit = {0.3}", "limit = {2}", "drops even a box at 1 of scores", "scores"),
        ("TopK (", "TopK <largest = 0> (", "it is not the best 8 of the scores above 0.3", "top"),
        ("TopK (", "TopK <sorted = 0> (", "it is not the best 8", "top"),
        ("TopK (kept, least)", "TopK (kept, k)", "its filter cannot be run on its own", "scores"),
        (
            "Gather (filtered, where)",
            "Gather <axis = 1> (turned, where)",
            "uses places among filtered",
            "corners",
        ),
        (
            "corners = Gather (filtered, where)",
            "corners = Neg (where)",
            "Neg  uses places among filtered",
            "corners",
        ),
        (
            "GatherND (boxes, passing)",
            "GatherND (few, passing)",
            "few does not have one row for each score",
            "few",
        ),
        ("Gather (places, where)", "Gather (wrong, where)", "it is not the best 8", "top"),
        (
            "Gather (filtered, where)",
            "Gather (doubled, where)",
            "no tensor of fixed size",
            None,
        ),
    ],
)
def test_refused_where_it_is_something_else(old, new, why, tensor):
    graph = opened(GRAPH.replace(old, new))
    (node,) = graph.find("TopK")

    with pytest.raises(Refused, match=why) as error:
        best.read(graph, node)
    assert tensor is None or error.value.tensor == tensor


def test_scores_alone_may_be_taken():
    text = GRAPH.replace("Gather (places, where)", "Identity (places)")
    found = opened(text.replace("Gather (filtered, where)", "Identity (filtered)"))
    (node,) = found.find("TopK")

    assert best.read(found, node).gathered == ()


def test_refused_where_the_filter_needs_something_else():
    text = GRAPH.replace("Greater (scores, limit)", "Greater (scores, other)")
    graph = opened(text.replace("place = Gather (places, where)", "place = Identity (places)"))
    (node,) = graph.find("TopK")

    with pytest.raises(Refused, match="its filter depends on more than scores") as error:
        best.read(graph, node)
    assert error.value.tensor == "other"


def test_refused_where_scores_have_two_axes():
    text = """
        (float[6,1] scores, bool[6] mask) => (float[a,1] out) <int64[1] k = {1}>
        { kept = Compress <axis = 0> (scores, mask) top, where = TopK <axis = 0> (kept, k) out = Neg (top) }
    """
    graph = opened(text)
    (node,) = graph.find("TopK")

    with pytest.raises(Refused, match=r"scores has shape \(6, 1\), wanted is one axis"):
        best.read(graph, node)


def test_none_few_most_and_all_scores_pass_and_many_are_equal():
    *cases, ties = best._cases(np.random.default_rng(0), 24, 0.3, 0.9)

    assert [int((values > np.float32(0.3)).sum()) for values in cases] == [0, 1, 3, 23, 24]
    for values in cases:
        above = values[values > np.float32(0.3)]
        assert len(set(above)) == len(above)
        assert above.max(initial=0) < 0.9
        assert values.min() >= 0
        assert not len(above) or above.max() == pytest.approx(0.3 + 0.6 * len(above) / (len(above) + 1))
        assert len(above) < 3 or not np.array_equal(np.sort(above), above)
    assert 2 < len(set(ties)) <= best.TIES
    assert (ties.min() >= 0, ties.max() < 0.9) == (True, True)
    assert ties.max() > 0.5
    assert {values.dtype for values in (*cases, ties)} == {np.dtype(np.float32)}
