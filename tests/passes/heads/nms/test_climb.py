"""From an input of NonMaxSuppression upward to every candidate."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.candidates.climb import _translates, climb

from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import named, opened

GRAPH = """
    (float[6,4] boxes, float[6] scores, float[6,1] label, float[n,4] free, bool[6] mask) => (float[i,j,k] out)
    <float[1,4] whole = {1, 2, 1, 2}, float[1,4] skew = {1, 2, 1, 3}, float[6,1] column = {0, 0, 64, 64, 128, 128},
     float one = {1}, int64[3] stack = {1, -1, 4}, int64[2] rows = {6, 4}, float[4] flat4 = {1, 2, 1, 2},
     float[1,6,4] known = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
     float[1,2] pair = {1, 1}, int64[1] zero = {0}>
    {
        NODES
        out = Neg (top)
    }
"""


def climbed(nodes: str, *, past_offset: bool = False):
    graph = opened(GRAPH.replace("NODES", nodes))
    return climb(graph, named(graph, "top")[0], past_offset=past_offset)


def described(found) -> tuple:
    return (
        found.flat.name,
        found.offset and found.offset.name,
        found.under and found.under.name,
        found.filtered,
    )


@pytest.mark.parametrize(
    ("nodes", "past_offset", "found"),
    [
        ("a = Neg (boxes) top = Unsqueeze <axes = [0]> (a)", False, ("top", None, None, False)),
        ("a = Neg (boxes) top = Unsqueeze <axes = [0]> (a)", True, ("top", None, None, False)),
        (
            "a = Compress <axis = 0> (boxes, mask) top = Unsqueeze <axes = [0]> (a)",
            False,
            ("boxes", None, None, True),
        ),
        (
            "n = Neg (boxes) a = Compress <axis = 0> (n, mask) i = Identity (a) top = Unsqueeze <axes = [0]> (i)",
            False,
            ("n", None, None, True),
        ),
        ("a = Add (boxes, whole) top = Unsqueeze <axes = [0]> (a)", False, ("top", None, None, False)),
        ("a = Add (boxes, whole) top = Unsqueeze <axes = [0]> (a)", True, ("boxes", "whole", "boxes", False)),
        ("a = Add (whole, boxes) top = Unsqueeze <axes = [0]> (a)", True, ("boxes", "whole", "boxes", False)),
        (
            "a = Add (boxes, column) top = Unsqueeze <axes = [0]> (a)",
            True,
            ("boxes", "column", "boxes", False),
        ),
        ("a = Add (boxes, one) top = Unsqueeze <axes = [0]> (a)", True, ("boxes", "one", "boxes", False)),
        ("a = Add (boxes, flat4) top = Unsqueeze <axes = [0]> (a)", True, ("boxes", "flat4", "boxes", False)),
        ("a = Add (boxes, skew) top = Unsqueeze <axes = [0]> (a)", True, ("top", None, None, False)),
        ("a = Add (boxes, label) top = Unsqueeze <axes = [0]> (a)", True, ("boxes", "label", "boxes", False)),
        ("a = Add (label, boxes) top = Unsqueeze <axes = [0]> (a)", True, ("boxes", "label", "boxes", False)),
        ("a = Add (boxes, boxes) top = Unsqueeze <axes = [0]> (a)", True, ("top", None, None, False)),
        (
            "w = Expand (label, rows) c = Mul (w, one) a = Add (boxes, c) top = Unsqueeze <axes = [0]> (a)",
            True,
            ("boxes", "c", "boxes", False),
        ),
        (
            "w = Expand (boxes, rows) c = Mul (w, one) a = Add (boxes, c) top = Unsqueeze <axes = [0]> (a)",
            True,
            ("top", None, None, False),
        ),
        (
            "w = Neg (label) x = Expand (w, rows) c = Neg (x) a = Add (boxes, c) top = Unsqueeze <axes = [0]> (a)",
            True,
            ("top", None, None, False),
        ),
        ("a = Sub (boxes, label) top = Unsqueeze <axes = [0]> (a)", True, ("top", None, None, False)),
        (
            "a = Add (boxes, label) b = Add (a, column) top = Unsqueeze <axes = [0]> (b)",
            True,
            ("a", "column", "a", False),
        ),
        (
            "m = Compress <axis = 0> (boxes, mask) l = Compress <axis = 0> (label, mask) a = Add (m, l) "
            "top = Unsqueeze <axes = [0]> (a)",
            True,
            ("boxes", "l", "m", True),
        ),
        (
            "a = Add (boxes, label) m = Compress <axis = 0> (a, mask) top = Unsqueeze <axes = [0]> (m)",
            True,
            ("boxes", "label", "boxes", True),
        ),
        (
            "a = Gather (boxes, zero) b = Add (a, whole) top = Unsqueeze <axes = [0]> (b)",
            True,
            ("a", "whole", "a", False),
        ),
    ],
)
def test_upward_through_views_filters_and_one_addition(nodes, past_offset, found):
    assert described(climbed(nodes, past_offset=past_offset)) == found


def test_views_between_the_addition_and_a_filter():
    nodes = """
        v = Identity (boxes)
        m = Compress <axis = 0> (v, mask)
        l = Compress <axis = 0> (label, mask)
        w = Identity (m)
        a = Add (w, l)
        top = Unsqueeze <axes = [0]> (a)
    """

    assert described(climbed(nodes, past_offset=True)) == ("v", "l", "w", True)


def test_a_view_of_open_length_is_followed_to_where_it_is_fixed():
    nodes = "n = Neg (boxes) i = Identity (n) top = Unsqueeze <axes = [0]> (i)"
    graph = opened(GRAPH.replace("NODES", nodes))
    top, middle = named(graph, "top", "i")
    top.shape = (1, "k", 4)

    assert described(climb(graph, top, past_offset=False)) == ("i", None, None, False)
    middle.shape = ("k", 4)
    assert described(climb(graph, top, past_offset=False)) == ("n", None, None, False)


def test_refused_where_no_tensor_of_fixed_size_holds_the_candidates():
    with pytest.raises(Refused, match="the search ended at free") as error:
        climbed("top = Unsqueeze <axes = [0]> (free)")
    assert error.value.unsized
    assert error.value.tensor == "free"


@pytest.mark.parametrize(
    ("value", "moves"),
    [
        (np.float32(7), True),
        (np.zeros((1, 6, 1)), True),
        (np.zeros((6, 4, 1)), True),
        (np.zeros((4, 1, 2)), False),
        (np.zeros((1, 4, 2)), False),
        (np.array([1, 1]), False),
        (np.array([1, 2, 1, 2]), True),
        (np.array([1, 2, 1, 3]), False),
        (np.full((1, 2, 3, 4), 5), True),
        (np.array([[[1, 2, 1, 2], [3, 3, 3, 4]]]), False),
    ],
)
def test_a_constant_moves_whole_boxes_where_both_corners_move_alike(value, moves):
    graph = opened("(float[2] x) => (float[2] y) { y = Neg (x) }")

    assert bool(_translates(graph, graph.constant(value))) is moves


@pytest.mark.parametrize(
    ("shape", "moves"),
    [((6, 1), True), ((1, 6), False), ((1, 6, 1), True), ((6, 4), False), ((), False), (None, False)],
)
def test_what_is_computed_moves_whole_boxes_where_it_is_one_number_for_each(shape, moves):
    graph = opened("(float[2] x) => (float[2] y) { y = Neg (x) }")
    (y,) = named(graph, "y")
    y.shape = shape

    assert _translates(graph, y) is moves
