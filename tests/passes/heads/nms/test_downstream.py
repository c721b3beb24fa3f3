"""What depends on a selection, and what of it the graph needs."""

from __future__ import annotations

import pytest
from convertkit_passes.heads import readers
from convertkit_passes.heads.nms.experiment import downstream
from convertkit_passes.heads.nms.experiment.downstream import Downstream
from onnx import helper

from convertkit.graph.graph import open_graph
from convertkit.graph.light import detach
from tests.passes.heads.nms.opened import named, opened


def names(tensors):
    return [item.name for item in tensors]


FLOW = """
    (float[6,4] boxes, float[6] scores, float[6] other) => (float[k,4] found, float[k,1] best, int64[k,1] late)
    <int64[1] count = {4}, float[1] two = {2}, int64 dim = {1}>
    {
        alone = Mul (scores, two)
        selected = NonZero (alone)
        place = Transpose <perm = [1, 0]> (selected)
        found = GatherND (boxes, place)
        best = GatherND (scores, place)
        mixed = GatherND (other, place)
        still = Neg (mixed)
        later = Add (place, place)
        late = Identity (later)
        constant = Identity (count)
    }
"""


def test_what_follows_from_the_selection_and_the_sources_alone():
    graph = opened(FLOW.replace("float[k,1] best, int64[k,1] late", "float[k] best, int64[k,1] late"))
    selected, *sources = named(graph, "selected", "boxes", "scores")

    below = downstream.follow(graph, selected, sources)

    assert names(below.tensors) == ["place", "found", "best", "later", "late"]
    assert below.leak is None


def test_nodes_may_be_in_any_order():
    graph = opened(FLOW.replace("float[k,1] best", "float[k] best"))
    selected, *sources = named(graph, "selected", "boxes", "scores")
    graph.surgeon.nodes.reverse()

    below = downstream.follow(graph, selected, sources)

    assert set(names(below.tensors)) == {"place", "found", "best", "later", "late"}


def test_a_selection_that_needs_more_than_the_sources_leaks():
    graph = opened(FLOW.replace("float[k,1] best", "float[k] best"))
    selected, boxes = named(graph, "selected", "boxes")

    assert downstream.follow(graph, selected, [boxes]) == Downstream((), named(graph, "alone")[0])


def test_outputs_left_out_and_what_a_subgraph_makes_are_not_followed():
    text = """
        (float[6] scores, bool flag) => (float[k] best, float[k] chosen)
        <int64[1] minus = {-1}>
        {
            selected = NonZero (scores)
            flat = Reshape (selected, minus)
            values = Gather (scores, flat)
            top = Dropout (values)
            best = Neg (top)
            chosen = If <then_branch = yes () => (float[k] a) { a = Identity (best) },
                else_branch = no () => (float[k] b) { b = Identity (best) }> (flag)
            more = Neg (chosen)
        }
    """
    graph = opened(text)
    selected, scores, flag, top = named(graph, "selected", "scores", "flag", "top")
    top.inputs[0].outputs.append(type(top).empty())

    assert names(downstream.follow(graph, selected, [scores, flag]).tensors) == [
        "flat",
        "values",
        "top",
        "best",
    ]


def walked(text: str, start: str, stops=()):
    graph = opened(text)
    tensor, *ends = named(graph, start, *stops)
    return names(readers.below([tensor], {id(item) for item in ends}))


DIAMOND = """
    (float[2] x) => (float[2] y, float[2] z)
    {
        a = Neg (x)
        b = Abs (x)
        y = Add (a, b)
        z = Mul (y, y)
    }
"""


def test_what_is_below_comes_once():
    assert sorted(walked(DIAMOND, "x")) == ["a", "b", "x", "y", "z"]
    assert sorted(walked(DIAMOND, "x", ["a"])) == ["b", "x", "y", "z"]
    assert walked(DIAMOND, "x", ["a", "b"]) == ["x"]
    assert walked(DIAMOND, "y") == ["y", "z"]


TOLD = """
    (float[k] x, int64 n) => (float[m] y)
    <int64 zero = {0}, int64 one = {1}, int64[1] axis = {0}, int64[1] first = {1}, int64[1] many = {5}>
    {
        size = Shape (x)
        SOME
    }
"""


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ("cast = Cast <to = 1> (size) y = Neg (cast)", True),
        ("y = ConstantOfShape (size)", False),
        ("y = Expand (x, size)", False),
        ("y = Slice (x, axis, size, axis, first)", False),
        ("y = Slice (x, size, many, axis, first)", False),
        ("y, at = TopK (x, size)", False),
        ("y = Slice (x, axis, many, size, first)", False),
        ("y = Slice (x, axis, many, axis, size)", False),
        ("long = Squeeze (size) up = Range (zero, long, one) y = Cast <to = 1> (up)", False),
        ("long = Squeeze (size) up = Range (long, zero, one) y = Cast <to = 1> (up)", False),
        ("long = Squeeze (size) up = Range (zero, one, long) y = Cast <to = 1> (up)", False),
        ("cast = Cast <to = 1> (size) y = Tile (cast, size)", True),
        ("cast = Cast <to = 1> (size) y = Slice (cast, axis, size, axis, first)", True),
        ("cast = Cast <to = 1> (size) other = Concat <axis = 0> (cast, x) y = Neg (other)", True),
    ],
)
def test_a_size_is_told_where_it_is_more_than_the_size_of_something(nodes, told):
    graph = opened(TOLD.replace("SOME", nodes))
    size, x = named(graph, "size", "x")

    found = downstream.told(graph, size)

    assert (found is graph.outputs[0]) is told
    assert (found is None) is not told
    assert downstream.told(graph, size, {id(size)}) is None
    assert (downstream.length_told(graph, x, ()) is not None) is told
    assert downstream.length_told(graph, x, {id(size)}) is None


def test_a_length_further_down_is_told_too_and_any_output_is_not():
    text = TOLD.replace(
        "SOME", "short = Neg (x) n2 = Size (short) n3 = Reshape (n2, first) y = Cast <to = 1> (n3)"
    )
    graph = opened(text)
    x, short = named(graph, "x", "short")

    assert downstream.length_told(graph, x, ()).name == "y"
    assert downstream.length_told(graph, x, {id(short)}) is None
    graph = opened(TOLD.replace("SOME", "y = Neg (x)"))
    assert downstream.length_told(graph, named(graph, "x")[0], ()) is None
    graph = opened(TOLD.replace("SOME", "y = Cast <to = 1> (size)"))
    (size,) = named(graph, "size")
    assert downstream.told(graph, size).name == "y"


def test_what_outputs_are_computed_from_up_to_explained_tensors():
    graph = opened(FLOW.replace("float[k,1] best", "float[k] best"))
    later, best, selected, scores = named(graph, "later", "best", "selected", "scores")

    tensors, met = downstream.needed(graph, {id(later), id(best), id(named(graph, "still")[0])})

    assert names(tensors) == ["best", "later"]
    assert met >= {id(item) for item in named(graph, "found", "place", "selected", "late", "scores")}
    assert not met & {id(item) for item in named(graph, "later", "best", "mixed", "still", "constant")}

    tensors, met = downstream.needed(graph, {id(named(graph, "found")[0]), id(best), id(later)})
    assert names(tensors) == ["found", "best", "later"]
    assert id(selected) not in met
    assert id(scores) not in met


def nested():
    """An ``If`` whose branch, in an ``If`` of its own, reads ``deep``."""
    inner = helper.make_graph([helper.make_node("Neg", ["deep"], ["i"])], "inner", [], [value("i")])
    other = helper.make_graph([helper.make_node("Abs", ["flat"], ["o"])], "other", [], [value("o")])
    node = helper.make_node("If", ["flag"], ["t"], then_branch=inner, else_branch=other)
    outer = helper.make_graph([node], "outer", [], [value("t")])
    plain = helper.make_graph([helper.make_node("Abs", ["flat"], ["p"])], "plain", [], [value("p")])
    nodes = [
        helper.make_node("Neg", ["x"], ["deep"]),
        helper.make_node("Abs", ["x"], ["flat"]),
        helper.make_node("Abs", ["x"], ["idle"]),
        helper.make_node("If", ["flag"], ["y"], then_branch=outer, else_branch=plain),
    ]
    flag = helper.make_tensor_value_info("flag", 9, [])
    graph = helper.make_graph(nodes, "graph", [value("x"), flag], [value("y")])
    return open_graph(
        detach(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8))
    )


def value(name):
    return helper.make_tensor_value_info(name, 1, [2])


def test_bodies_of_subgraphs_read_too():
    graph = nested()
    deep, flat, idle = named(graph, "deep", "flat", "idle")

    _, met = downstream.needed(graph, ())

    assert {id(deep), id(flat)} <= met
    assert id(idle) not in met


def test_the_first_tensor_that_something_else_still_needs():
    graph = opened(FLOW.replace("float[k,1] best", "float[k] best"))
    selected, *sources = named(graph, "selected", "boxes", "scores")
    below = downstream.follow(graph, selected, sources)

    def last(*explained):
        _, met = downstream.needed(graph, {id(item) for item in named(graph, *explained)})
        found = downstream.last_needed(graph, below, met)
        return found and found.name

    assert last() == "found"
    assert last("found") == "best"
    assert last("found", "best") == "late"
    assert last("found", "best", "later") == "late"
    assert last("found", "best", "late") is None


@pytest.mark.parametrize("outputs", ["float[k] still", "float[k] still, float[k,4] found"])
def test_a_tensor_that_goes_into_something_not_known_is_still_needed(outputs):
    graph = opened(FLOW.replace("float[k,4] found, float[k,1] best, int64[k,1] late", outputs))
    selected, *sources = named(graph, "selected", "boxes", "scores")
    below = downstream.follow(graph, selected, sources)

    _, met = downstream.needed(graph, ())

    assert downstream.last_needed(graph, below, met).name == "place"


@pytest.mark.parametrize(
    ("shape", "batch", "looked_at"),
    [
        ("1000,5", 1, True),
        ("1000,6", 1, False),
        ("5001", 1, False),
        ("2,1000,5", 2, True),
        ("2,1000,5", 1, False),
        ("1,1,1,5000", 1, True),
        ("1,1,1,1,1", 1, False),
        ("n,1000,5", 1, True),
    ],
)
def test_what_is_too_large_for_detections_is_not_looked_at(shape, batch, looked_at):
    graph = opened(f"(float[{shape}] x) => (float[{shape}] y) {{ y = Neg (x) }}")
    (y,) = named(graph, "y")

    assert Downstream((y,)).worth_a_look(batch) == ((y,) if looked_at else ())


def test_a_tensor_of_unknown_shape_is_looked_at():
    graph = opened("(float[2] x) => (float[2] y) { y = Neg (x) }")
    (y,) = named(graph, "y")
    y.shape = None

    assert Downstream((y,)).worth_a_look(1) == (y,)


ENDS = """
    (float[6,4] boxes, int64[6] scores) => (float[a,4] y)
    <int64[2] places = {0, 1}, int64[1] all = {-1}, float[1] one = {1}>
    {
        selected = NonZero (scores)
        rows = Transpose <perm = [1, 0]> (selected)
        dets = GatherND (boxes, rows)
        NEXT
        y = Neg (last)
    }
"""


@pytest.mark.parametrize(
    ("nodes", "explained", "ends"),
    [
        ("last = Identity (dets)", {"dets": "boxes", "last": "boxes"}, ["dets", "last"]),
        ("last = Mul (dets, one)", {"dets": "boxes", "last": "boxes"}, ["dets"]),
        ("last = Concat <axis = 0> (dets, dets)", {"dets": "boxes", "last": "boxes"}, ["dets", "last"]),
        ("last = Gather (dets, places)", {"dets": "boxes", "last": "boxes"}, ["dets", "last"]),
        (
            "sq = Reshape (rows, all) last = Gather (dets, sq)",
            {"dets": "boxes", "last": "boxes"},
            ["dets", "last"],
        ),
        ("last = Cast <to = 1> (dets)", {"dets": "boxes", "last": "classes"}, ["dets", "last"]),
        ("last = Cast <to = 1> (dets)", {"dets": "boxes", "last": "scores"}, ["dets"]),
        ("mid = Identity (dets) last = Identity (mid)", {"dets": "boxes", "last": "boxes"}, ["dets", "last"]),
        ("mid = Identity (dets) last = Mul (mid, one)", {"dets": "boxes", "last": "boxes"}, ["dets"]),
        ("mid = Neg (dets) last = Identity (mid)", {"dets": "boxes", "last": "boxes"}, ["dets"]),
        ("mid = Neg (dets) last = Add (mid, dets)", {"dets": "boxes", "last": "boxes"}, ["dets"]),
        ("mid = Neg (dets) last = Identity (mid)", {"last": "boxes"}, ["last"]),
        (
            "mid = Neg (dets) low = Mul (mid, one) last = Identity (low)",
            {"dets": "boxes", "last": "boxes"},
            ["dets"],
        ),
    ],
)
def test_the_selection_ends_where_values_only_move_on(nodes, explained, ends):
    graph = opened(ENDS.replace("NEXT", nodes))
    selected, *sources = named(graph, "selected", "boxes", "scores")
    below = downstream.follow(graph, selected, sources)

    found = downstream.read_off(
        below, selected, {id(item): explained[item.name] for item in named(graph, *explained)}
    )

    assert [item.name for item in below.tensors if id(item) in found] == ends


def test_a_gather_by_places_that_follow_from_an_end_computes():
    nodes = """
        whole = Cast <to = 7> (dets)
        column = Slice (whole, zero, first, first)
        flat = Reshape (column, all)
        last = Gather (boxes, flat)
    """
    text = ENDS.replace("NEXT", nodes).replace(
        "int64[1] all", "int64[1] zero = {0}, int64[1] first = {1}, int64[1] all"
    )
    graph = opened(text)
    selected, *sources = named(graph, "selected", "boxes", "scores")
    below = downstream.follow(graph, selected, sources)
    kinds = {id(item): "boxes" for item in named(graph, "dets", "last")}

    assert downstream.read_off(below, selected, kinds) == {id(named(graph, "dets")[0])}
