"""Which RoiAlign nodes belong together, and between which tensors they lie."""

from __future__ import annotations

from typing import Any

import pytest
from convertkit_passes.heads.roi.candidates import MOST_EXITS, Candidate, candidates, groups, result_shape

from convertkit.api import graphs
from convertkit.graph.graph import Graph, open_graph
from tests import graphtext

HEAD = """
    (float[2,3,8,8] f, float[2,3,4,4] g, float[2,3,2,2] h, float[4,4] boxes, float[4,4] others, int64[4] images)
        => (OUTPUTS)
    <int64[4] zeros = {0, 0, 0, 0}, float[4,4] fixed = {0,0,1,1, 0,0,1,1, 0,0,1,1, 0,0,1,1}, int64[1] one = {1},
     int64[2] flat = {4, 3}, int64[5] five = {4, 3, 1, 1, 1}>
    {
        NODES
    }"""


def graph(nodes: str, outputs: str = "float[4,3,1,1] y") -> Graph:
    found = open_graph(graphtext.parse(HEAD.replace("NODES", nodes).replace("OUTPUTS", outputs)))
    graphs.annotate(found)
    return found


def groups_of(nodes: str, outputs: str = "float[4,3,1,1] y") -> list[tuple[Any, list[str]]]:
    made = graph(nodes, outputs)
    found = groups(made, graphs.Flow(made))
    names = [
        (item.source and item.source.name, [node.outputs[0].name for node in item.nodes]) for item in found
    ]
    return sorted(names, key=lambda item: item[1])


def found(nodes: str, outputs: str = "float[4,3,1,1] y") -> list[tuple[str, list[str], list[str], Any]]:
    """Of each candidate, by names: the nodes' results, entries, exits and where they meet."""
    made = graph(nodes, outputs)
    flow = graphs.Flow(made)
    return [_named(item) for group in groups(made, flow) for item in candidates(flow, group)]


def _named(item: Candidate) -> tuple[str, list[str], list[str], Any]:
    results = " ".join(node.outputs[0].name for node in item.nodes)
    return (
        results,
        *([tensor.name for tensor in side] for side in (item.entries, item.exits)),
        item.meeting.name,
    )  # type: ignore[return-value]


TWO = """
    rois = Relu (boxes)
    left = Neg (rois)
    right = Abs (rois)
    a = RoiAlign (f, left, images)
    b = RoiAlign (g, right, images)
    sum = Add (a, b)
    y = Neg (sum)
"""


def test_levels_have_a_source_and_a_result() -> None:
    assert groups_of(TWO) == [("rois", ["a", "b"])]
    assert found(TWO) == [("a b", ["rois", "boxes"], ["sum", "y"], "sum")]


def test_nodes_of_other_rois_are_another_group() -> None:
    nodes = TWO + "c = RoiAlign (f, others, images) d = RoiAlign (g, others, images) z = Add (c, d)"
    outputs = "float[4,3,1,1] y, float[4,3,1,1] z"

    assert groups_of(nodes, outputs) == [("rois", ["a", "b"]), ("others", ["c", "d"])]


def test_a_node_whose_rois_no_other_has_is_alone() -> None:
    nodes = TWO + "c = RoiAlign (f, others, images)"

    outputs = "float[4,3,1,1] y, float[4,3,1,1] c"
    assert groups_of(nodes, outputs) == [("rois", ["a", "b"]), (None, ["c"])]
    assert [item[0] for item in found(nodes, outputs)] == ["a b"]


@pytest.mark.parametrize(
    "more", ["c = RoiAlign (f, fixed, zeros)", "c = RoiAlign (f, left, images) z = Neg (c)"]
)
def test_a_node_of_constant_rois_or_that_leads_nowhere_is_in_no_group(more: str) -> None:
    output = "float[4,3,1,1] y" + (", float[4,3,1,1] c" if "fixed" in more else "")

    assert groups_of(TWO + more, output) == [("rois", ["a", "b"])]


def test_the_most_nodes_come_first_and_fewer_of_them_after() -> None:
    nodes = """
    a = RoiAlign (f, boxes, images)
    b = RoiAlign (g, boxes, images)
    c = RoiAlign (h, boxes, images)
    two = Add (a, b)
    y = Add (two, c)
    """

    assert found(nodes) == [("a b c", ["boxes"], ["y"], "y"), ("a b", ["boxes"], ["two"], "two")]


def test_levels_that_meet_nowhere_are_no_candidate() -> None:
    nodes = "a = RoiAlign (f, boxes, images) b = RoiAlign (g, boxes, images)"

    assert found(nodes, "float[4,3,1,1] a, float[4,3,1,1] b") == []


def test_a_few_results_are_tried_the_nearest_first() -> None:
    chain = " ".join(f"n{place} = Neg ({f'n{place - 1}' if place else 'y'})" for place in range(6))

    ((_, _, exits, _),) = found(TWO + chain, "float[4,3,1,1] n5")

    assert exits == ["sum", "y", "n0", "n1"]
    assert len(exits) == MOST_EXITS


@pytest.mark.parametrize(
    ("nodes", "exits"),
    [
        ("flatter = Reshape (y, flat) z = Reshape (flatter, five)", ["sum", "y"]),
        ("whole = Cast <to = 6> (y) z = Cast <to = 1> (whole)", ["sum", "y", "z"]),
        ("wide = Cast <to = 11> (y) z = Cast <to = 1> (wide)", ["sum", "y", "z"]),
        ("wide = Concat <axis = 1> (y, y) z = Neg (wide)", ["sum", "y", "z"]),
        ("wide = Concat <axis = 2> (y, y) z = Neg (wide)", ["sum", "y", "z"]),
        ("wide = Concat <axis = 3> (y, y) z = Neg (wide)", ["sum", "y", "z"]),
        ("wide = Concat <axis = 0> (y, y) z = Neg (wide)", ["sum", "y", "wide", "z"]),
    ],
)
def test_a_result_has_the_shape_of_one_roi_align(nodes: str, exits: list[str]) -> None:
    rank = 5 if "five" in nodes else 4
    ((_, _, tried, _),) = found(TWO + nodes, f"float[{','.join('ABCDE'[:rank])}] z")

    assert tried == exits


@pytest.mark.parametrize(
    ("nodes", "entries"),
    [
        ("rois = Transpose (boxes)", ["rois", "boxes"]),
        ("wide = Concat <axis = 1> (boxes, images5) rois = Relu (wide)", ["rois", "wide", "boxes"]),
        ("wide = Concat <axis = 1> (boxes, boxes) rois = Slice (wide, zero1, four1, one)", ["rois", "boxes"]),
        ("half = Cast <to = 10> (boxes) rois = Cast <to = 1> (half)", ["rois", "boxes"]),
        ("cube = Unsqueeze <axes = [0]> (boxes) rois = Squeeze <axes = [0]> (cube)", ["rois", "boxes"]),
        ("some = Slice (boxes, zero1, many, one) rois = Relu (some)", ["rois", "some"]),
    ],
)
def test_rois_are_made_of_four_or_five_columns(nodes: str, entries: list[str]) -> None:
    text = TWO.replace("rois = Relu (boxes)", nodes).replace(
        "left = Neg (rois)", "cut = Slice (rois, zero1, four1, one) left = Neg (cut)"
    )
    text = text.replace("right = Abs (rois)", "right = Abs (cut)")
    constants = "int64[1] zero1 = {0}, int64[1] four1 = {4}, float[4,1] images5 = {0, 0, 0, 0}, "
    model = HEAD.replace("<int64[4] zeros", f"<{constants} int64[4] zeros").replace(
        "int64[4] images)", "int64[4] images, int64[1] many)"
    )
    made = open_graph(graphtext.parse(model.replace("NODES", text).replace("OUTPUTS", "float[4,3,1,1] y")))
    graphs.annotate(made)
    flow = graphs.Flow(made)

    (item,) = [item for group in groups(made, flow) for item in candidates(flow, group)]

    assert [tensor.name for tensor in item.entries] == ["cut", *entries]


def test_unknown_sizes_may_be_anything() -> None:
    made = graph(TWO)
    flow = graphs.Flow(made)
    tensors = made.surgeon.tensors()
    tensors["sum"].shape, tensors["sum"].dtype = None, None
    tensors["y"].shape = ["K", "C", 1, "W"]
    tensors["boxes"].shape, tensors["rois"].shape = None, [4, "W"]

    ((item,),) = [list(candidates(flow, group)) for group in groups(made, flow)]

    assert _named(item) == ("a b", ["rois"], ["sum", "y"], "sum")


def test_the_shape_of_a_result() -> None:
    made = graph(
        TWO.replace("RoiAlign (f", "RoiAlign <output_height = 2, output_width = 5> (f").replace(
            "sum = Add (a, b)", "c = GlobalAveragePool (a) sum = Add (c, b)"
        )
    )
    first, second = made.find("RoiAlign")

    assert (result_shape(first), result_shape(second)) == ([3, 2, 5], [3, 1, 1])
    first.inputs[0].shape = None
    second.inputs[0].shape = [3, 4, 4]
    assert (result_shape(first), result_shape(second)) == ([None, 2, 5], [None, 1, 1])


def test_of_levels_with_other_bins_the_first_says_what_a_result_is() -> None:
    larger = "b = RoiAlign <output_height = 2, output_width = 2>"
    pooled = "p = AveragePool <kernel_shape = [2, 2]> (b) sum = Add (a, p)"
    nodes = TWO.replace("b = RoiAlign", larger).replace("sum = Add (a, b)", pooled)

    assert found(nodes) == [("a b", ["rois", "boxes"], ["sum", "y"], "sum")]
