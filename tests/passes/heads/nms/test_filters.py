"""Filters that a NonMaxSuppression takes over, and who may not see that more rows come."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.filters import absorb, rows
from convertkit_passes.heads.nms.filters.best import read

from convertkit.api.heads import Refused
from tests.graphtext import show, text
from tests.passes.heads.nms.opened import named, opened

GRAPH = """
    (float[24,4] boxes, float[24] scores, float[24,5] more) => (float[a,4] found, OUT)
    <float limit = {0.3}, int64[1] k = {8}, int64[1] most = {5}, float[1] iou = {0.5}, float own = {0.4},
     int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] six = {6}>
    {
        mask = Greater (scores, limit)
        at = NonZero (mask)
        passing = Transpose <perm = [1, 0]> (at)
        kept = GatherND (scores, passing)
        places = Squeeze <axes = [1]> (passing)
        n = Shape (kept)
        both = Concat <axis = 0> (n, k)
        least = ReduceMin <axes = [0], keepdims = 1> (both)
        top, where = TopK (kept, least)
        place = Gather (places, where)
        corners = Gather (boxes, place)
        high = ReduceMax <keepdims = 0> (corners)
        moved = Add (corners, high)
        b = Unsqueeze <axes = [0]> (moved)
        s = Unsqueeze <axes = [0, 1]> (top)
        selected = NonMaxSuppression (b, s, most, iou)
        column = Gather <axis = 1> (selected, two)
        keep = Squeeze <axes = [1]> (column)
        found = Gather (corners, keep)
        EXTRA
    }
"""


def graph_of(out: str, extra: str):
    return opened(GRAPH.replace("OUT", out).replace("EXTRA", extra))


def taken(old: str = "#", new: str = ""):
    """The graph with the scores of what is found as a second output."""
    text = GRAPH.replace("OUT", "float[c] o").replace("EXTRA", "o = Gather (top, keep)")
    return opened(text.replace(old, new))


def check(out: str, extra: str) -> None:
    graph = graph_of(out, extra)
    (nms,), (top,) = graph.find("NonMaxSuppression"), graph.find("TopK")
    rows.check(graph, nms, [read(graph, top)])


@pytest.mark.parametrize(
    ("out", "extra"),
    [
        ("float[c] o", "o = Gather (top, keep)"),
        ("float[c] o", "short = Slice (keep, zero, six, zero) o = Gather (top, short)"),
        ("float[c] o", "cast = Cast <to = 6> (keep) o = Gather (top, cast)"),
        ("float[c] o", "first = Gather (keep, zero) o = Gather (top, first)"),
        ("float[c] o", "deep = Unsqueeze <axes = [1]> (keep) o = GatherND (top, deep)"),
        ("int64[1] o", "o = Shape (keep)"),
        ("bool[24] o", "o = Identity (mask)"),
        ("float[24] o", "o = Neg (scores)"),
        ("float[c,4] o", "d = Mul (corners, high) e = Sub (d, high) o = Gather (e, keep)"),
        ("float[c] o", "z = Shape (top) f = ConstantOfShape (z) o = Gather (f, keep)"),
    ],
)
def test_rows_that_only_the_selection_takes_may_be_more(out, extra):
    check(out, extra)


@pytest.mark.parametrize(
    ("out", "extra", "why", "tensor"),
    [
        ("int64[c] o", "o = Identity (keep)", "o is given, and has to do with how many scores pass", "o"),
        ("int64[c,3] selected", "", "selected is given", "selected"),
        ("float[c,4] o", "o = Neg (corners)", "o is given", "o"),
        ("float[c] o", "o = Neg (top)", "o is given", "o"),
        ("int64[1] o", "o = Shape (top)", "o is given", "o"),
        ("int64[c] o", "o = Add (place, one)", "o is given", "o"),
        ("float o", "o = ReduceSum <keepdims = 0> (top)", "ReduceSum  does not treat filtered rows", "o"),
        (
            "float[c] o",
            "o = Softmax <axis = 0> (top)",
            "Softmax  does not treat filtered rows one by one",
            "o",
        ),
        ("int64[c] o", "o = Add (keep, one)", "Add  computes with places among filtered boxes", "o"),
        ("int64[c] o", "o = Slice (six, zero, keep, zero)", "Slice  computes with places", "o"),
        ("int64[c] o", "o = Concat <axis = 0> (keep, one)", "Concat  computes with places", "o"),
        (
            "float[c,5] o",
            "o = Gather (more, keep)",
            "Gather  takes by place what the filter does not take",
            "o",
        ),
        ("float[c] o", "o = GatherElements (scores, keep)", "GatherElements  takes by place what", "o"),
        ("float[c] o", "o = Neg (kept)", "at, what passes the filter, is needed otherwise too", "at"),
        ("int64[1] o", "o = Identity (n)", "at, what passes the filter, is needed otherwise too", "at"),
        ("int64[c] o", "o = Identity (places)", "passes the filter, is needed otherwise too", None),
    ],
)
def test_refused_where_something_else_sees_the_rows(out, extra, why, tensor):
    with pytest.raises(Refused, match=why) as error:
        check(out, extra)
    assert tensor is None or error.value.tensor == tensor


def test_filtered_scores_of_several_lists_are_checked_each():
    graph = graph_of("float[c] o", "o = Gather (top, keep)")
    (nms,), (top,) = graph.find("NonMaxSuppression"), graph.find("TopK")
    found = read(graph, top)

    rows.check(graph, nms, [found, found])


LEAVES = """
    (float[2] x, float[k] open, int64[1] shape) => (float[1,1,m] y)
    <int64[3] deep = {1, 1, -1}, int64[1] k1 = {1}>
    {
        a = Reshape (x, shape)
        c = Neg (open)
        d = Concat <axis = 0> (a, c, open)
        y = Reshape (d, deep)
    }
"""


def test_scores_are_joined_of_leaves_through_views():
    graph = opened(LEAVES)

    assert [item.name for item in absorb._leaves(graph.outputs[0])] == ["x", "c", "open"]


@pytest.mark.parametrize(
    ("leaf", "why"),
    [
        ("scores", "scores, a part of its scores, is not filtered"),
        (
            "kept",
            "kept is not the best of what a filter takes; fuse-multiclass-nms measures other filters itself",
        ),
        ("where", "where is not the best of what a filter takes"),
        ("free", "free is not the best"),
    ],
)
def test_refused_where_a_leaf_is_not_the_best_of_a_filter(leaf, why):
    graph = taken("float[24,5] more", "float[24,5] more, float[f] free")
    tensor = graph.inputs[3] if leaf == "free" else named(graph, leaf)[0]

    with pytest.raises(Refused, match=why) as error:
        absorb._filter(graph, tensor)
    assert error.value.tensor == leaf


def test_what_becomes_of_a_filter():
    graph = taken()
    (finding,) = absorb.absorb(graph)

    assert finding.status == "matched"
    assert finding.why == "takes scores above 0.3 itself; the best 8 of 24 come in front of it"
    assert finding.tensor == "s"
    assert show(graph.model()) == text(
        """
        (float[24,4] boxes, float[24] scores, float[24,5] more) => (float[a,4] found, float[c] o)
        <int64[1] best = {8}, float[1] iou = {0.5}, int64[1] most = {5}, """
        """float[1] score_threshold = {0.30000001192092896}, int64[1] two = {2}>
        {
            best_scores, best_places = TopK <axis = 0, largest = 1, sorted = 1> (scores, best)
            corners = Gather (boxes, best_places)
            s = Unsqueeze <axes = [0, 1]> (best_scores)
            high = ReduceMax <keepdims = 0> (corners)
            moved = Add (corners, high)
            b = Unsqueeze <axes = [0]> (moved)
            selected = NonMaxSuppression (b, s, most, iou, score_threshold)
            column = Gather <axis = 1> (selected, two)
            keep = Squeeze <axes = [1]> (column)
            found = Gather (corners, keep)
            o = Gather (best_scores, keep)
        }
        """
    )
    assert tuple(named(graph, "best_scores")[0].shape) == (8,)


def test_sizes_that_have_become_known_are_written_down():
    graph = graph_of("float[c] o", "z = Shape (top) f = ConstantOfShape (z) o = Gather (f, keep)")

    absorb.absorb(graph)

    assert not list(graph.find("Shape"))
    (node,) = graph.find("ConstantOfShape")
    assert node.inputs[0].values.tolist() == [8]


@pytest.mark.parametrize(("own", "highest"), [(0.4, 0.4), (0.2, 0.3)])
def test_the_higher_of_both_thresholds_holds(own, highest):
    graph = taken("most, iou)", "most, iou, own)")
    (value,) = named(graph, "own")
    value.values = np.float32(own)

    (finding,) = absorb.absorb(graph)

    (node,) = graph.find("NonMaxSuppression")
    assert len(node.inputs) == 5
    assert node.inputs[4].values.tolist() == [np.float32(highest)]
    assert node.inputs[4].values.dtype == np.float32
    assert f"above {highest}" in finding.why


def test_inputs_that_the_node_left_out_stay_out():
    graph = taken("most, iou)", "most)")
    absorb.absorb(graph)

    (node,) = graph.find("NonMaxSuppression")
    assert [item.is_empty() for item in node.inputs] == [False, False, False, True, False]


def test_what_is_gathered_has_a_row_for_each_of_the_best():
    graph = taken(
        "corners = Gather (boxes, place)",
        "deep = GatherND (boxes, passing) corners = Gather (deep, where)",
    )
    absorb.absorb(graph)

    (corners,) = (node.outputs[0] for node in graph.find("Gather") if node.inputs[0].name == "boxes")
    assert (tuple(corners.shape), corners.dtype, corners.inputs[0].attrs) == ((8, 4), np.float32, {"axis": 0})


def test_places_are_handed_on_in_the_type_that_is_read():
    graph = opened("(int64[2] x) => (int64[2] y) { y = Neg (x) }")
    (x,) = named(graph, "x")

    assert absorb._as(graph, x, None) is x
    assert absorb._as(graph, x, np.int64) is x
    made = absorb._as(graph, x, np.int32)
    assert (made.inputs[0].op, made.inputs[0].attrs) == ("Cast", {"to": 6})
    assert (made.dtype, tuple(made.shape)) == (np.int32, (2,))


def test_all_filters_of_a_node_are_absorbed_or_none():
    graph = taken(
        "s = Unsqueeze <axes = [0, 1]> (top)",
        "t = Concat <axis = 0> (top, scores) s = Unsqueeze <axes = [0, 1]> (t)",
    )
    before = show(graph.model())

    (finding,) = absorb.absorb(graph)

    assert (finding.status, finding.tensor) == ("refused", "scores")
    assert show(graph.model()) == before


def test_scores_of_fixed_size_are_no_place_to_look_at():
    graph = opened(
        """
        (float[1,6,4] boxes, float[1,1,6] scores) => (int64[k,3] selected)
        <int64[1] most = {5}> { selected = NonMaxSuppression (boxes, scores, most) }
        """
    )

    assert absorb.absorb(graph) == ()
