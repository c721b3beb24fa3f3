"""Views that bring a tensor into the operator's layout, and the tensors above that lie so already."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms.candidates import views
from convertkit_passes.heads.nms.candidates.views import Laid, View

from tests.graphtext import show, text
from tests.passes.heads.nms.opened import named, opened


def test_a_view_is_a_reshape_then_a_transposition():
    array = np.arange(12).reshape(1, 12)

    assert np.array_equal(View((3, 4)).do(array), array.reshape(3, 4))
    turned = View((3, 2, 2), (1, 2, 0)).do(array)
    assert np.array_equal(turned, array.reshape(3, 2, 2).transpose(1, 2, 0))
    assert np.array_equal(View((3, 2, 2), (1, 2, 0)).undo(turned, (1, 12)), array)
    assert np.array_equal(View((3, 4)).undo(array.reshape(3, 4), [1, 12]), array)


@pytest.mark.parametrize(
    ("view", "nodes"),
    [
        (View((1, 3, 2)), ""),
        (View((1, 2, 3)), "int64[3] shape = {1, 2, 3}> { x_out = Reshape (x, shape)"),
        (View((1, 3, 2), (0, 2, 1)), "> { x_out = Transpose <perm = [0, 2, 1]> (x)"),
    ],
)
def test_no_more_nodes_are_written_than_the_view_needs(view, nodes):
    graph = opened("(float[1,3,2] x) => (float[1,3,2] y) { y = Neg (x) }")
    (x,) = named(graph, "x")

    made = view.emit(graph, x)

    assert (made is x) == (not nodes)
    assert tuple(made.shape) == Laid(x, view).shape
    assert made.dtype == x.dtype
    ops = [node.op for node in graph.nodes]
    assert ops == [
        "Neg",
        *(["Reshape"] if "Reshape" in nodes else []),
        *(["Transpose"] if "perm" in nodes else []),
    ]


def test_a_view_of_both_is_written_as_both():
    graph = opened("(float[6] x) => (float[1,2,3] y) <int64[3] s = {1, 2, 3}> { y = Reshape (x, s) }")
    (x,) = named(graph, "x")

    graph.replace(graph.outputs[0], View((1, 3, 2), (0, 2, 1)).emit(graph, x))
    graph.tidy()

    assert show(graph.model()) == text(
        """
        (float[6] x) => (float[1,2,3] y)
        <int64[3] shape = {1, 3, 2}>
        {
            Reshape_output = Reshape (x, shape)
            y = Transpose <perm = [0, 2, 1]> (Reshape_output)
        }
        """
    )


SCORES = """
    (float[1,6,3] source) => (float[18] flat)
    <int64[1] all = {-1}, int64[2] rows = {6, 3}, float one = {1}>
    {
        NODES
    }
"""
CHAIN = {
    "minor": "up = Identity (source) low = Reshape (up, rows) flat = Reshape (low, all)",
    "major": "up = Transpose <perm = [0, 2, 1]> (source) low = Identity (up) flat = Reshape (low, all)",
    "changed": "up = Mul (source, one) low = Reshape (up, rows) flat = Reshape (low, all)",
}


def scores(kind: str):
    return opened(SCORES.replace("NODES", CHAIN[kind]))


def test_everything_of_fixed_size_above_a_view_is_seen():
    graph = scores("minor")
    (flat,) = named(graph, "flat")

    assert [item.name for item in views.above(flat)] == ["flat", "low", "up", "source"]
    graph = scores("changed")
    (flat, low) = named(graph, "flat", "low")
    assert [item.name for item in views.above(flat)] == ["flat", "low", "up"]
    low.shape = None
    assert [item.name for item in views.above(flat)] == ["flat"]


def test_a_constant_is_nothing_to_read_from():
    constants = "<float[1,2] c = {1, 2}, int64[1] all = {-1}>"
    graph = opened(f"(float[2] x) => (float[2] y) {constants} {{ r = Reshape (c, all) y = Add (x, r) }}")

    assert [item.name for item in views.above(named(graph, "r")[0])] == ["r"]


@pytest.mark.parametrize(
    ("kind", "view", "tensor", "left"),
    [
        ("minor", View((1, 6, 3)), "source", View((1, 6, 3))),
        ("major", View((1, 3, 6), (0, 2, 1)), "source", View((1, 6, 3))),
        ("changed", View((1, 6, 3)), "up", View((1, 6, 3))),
        ("changed", View((1, 3, 6), (0, 2, 1)), "up", View((1, 3, 6), (0, 2, 1))),
        ("major", View((1, 6, 3)), "up", View((1, 6, 3))),
    ],
)
def test_the_highest_ancestor_that_needs_the_fewest_nodes(kind, view, tensor, left):
    graph = scores(kind)
    (flat,) = named(graph, "flat")

    laid = views.lay(graph, flat, view)

    assert (laid.tensor.name, laid.view) == (tensor, left)
    array = np.arange(18)
    assert np.array_equal(laid.view.do(laid.undo(view.do(array))), view.do(array))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_floating_type_counts_to_its_largest_exact_number(dtype):
    most = dtype(views._LARGEST_EXACT[np.dtype(dtype)])

    assert most - 1 != most
    assert most + 1 == most


@pytest.mark.parametrize(("most", "seen"), [(6, True), (5, False)])
def test_places_need_a_type_that_counts_so_far(most, seen, monkeypatch):
    monkeypatch.setitem(views._LARGEST_EXACT, np.dtype(np.float32), most)
    graph = opened("(float[6] x) => (float[6] y) { y = Identity (x) }")
    x, y = named(graph, "x", "y")

    assert views._places(graph, y, x).tolist() == (list(range(6)) if seen else [-1] * 6)


@pytest.mark.parametrize(("kind", "seen"), [("double", True), ("float16", False), ("int64", False)])
def test_places_are_counted_in_the_type_of_the_graph(kind, seen):
    graph = opened(f"({kind}[2,3] x) => ({kind}[3,2] y) {{ y = Transpose <perm = [1, 0]> (x) }}")
    x, y = named(graph, "x", "y")

    assert views._places(graph, y, x).tolist() == ([[0, 3], [1, 4], [2, 5]] if seen else [[-1, -1]] * 3)
    assert np.array_equal(views._places(graph, x, x), np.arange(6).reshape(2, 3))


BOXES = """
    (float[1,6,SHAREDx4] source) => (float[SIZE,4] flat)
    <int64[4] wide = {1, 6, 1, 4}, int64[4] many = {1, 6, 3, 4}, int64[2] rows = {-1, 4}, int64[4] turn = {1, 1, 6, 4},
     int64[4] times = {1, 3, 6, 4}>
    {
        NODES
    }
"""


def boxes(nodes: str, source: str, size: int = 18):
    shape = BOXES.replace("float[1,6,SHAREDx4]", f"float[{source}]").replace("SIZE", str(size))
    return opened(shape.replace("NODES", nodes))


MINOR, MAJOR = View((1, 6, 3, 4)), View((1, 3, 6, 4), (0, 2, 1, 3))


@pytest.mark.parametrize(
    ("nodes", "source", "view", "tensor", "left"),
    [
        (
            "a = Reshape (source, wide) b = Expand (a, many) flat = Reshape (b, rows)",
            "1,6,4",
            MINOR,
            "a",
            View((1, 6, 1, 4)),
        ),
        (
            "a = Reshape (source, turn) b = Expand (a, times) flat = Reshape (b, rows)",
            "1,6,4",
            MAJOR,
            "source",
            View((1, 6, 1, 4)),
        ),
        (
            "a = Reshape (source, wide) b = Expand (a, many) flat = Reshape (b, rows)",
            "1,6,4",
            MAJOR,
            "b",
            MAJOR,
        ),
        (
            "t = Transpose <perm = [0, 2, 1]> (source) a = Reshape (t, turn) b = Expand (a, times) "
            "flat = Reshape (b, rows)",
            "1,4,6",
            MAJOR,
            "t",
            View((1, 6, 1, 4)),
        ),
        ("a = Identity (source) flat = Reshape (a, rows)", "1,3,6,4", MAJOR, "source", MAJOR),
        ("a = Identity (source) flat = Reshape (a, rows)", "1,6,3,4", MINOR, "source", MINOR),
    ],
)
def test_boxes_that_classes_share_are_read_once(nodes, source, view, tensor, left):
    graph = boxes(nodes, source)
    (flat,) = named(graph, "flat")

    laid = views.lay_boxes(graph, flat, view)

    assert (laid.tensor.name, laid.view) == (tensor, left)


def test_boxes_of_one_class_are_shared_by_nobody():
    graph = boxes("a = Reshape (source, wide) flat = Reshape (a, rows)", "1,6,4", 6)
    (flat,) = named(graph, "flat")

    laid = views.lay_boxes(graph, flat, View((1, 6, 1, 4)))

    assert (laid.tensor.name, laid.shape) == ("a", (1, 6, 1, 4))
