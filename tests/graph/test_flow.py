"""Dominators against their definition: remove a tensor and see what is cut off."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.graph.flow import Flow
from convertkit.graph.graph import Graph, open_graph
from tests.graph.random_flow import Drawing, drawings
from tests.graphtext import parse


def opened(drawing: Drawing) -> tuple[Graph, Flow, dict[int, object]]:
    graph = open_graph(drawing.model())
    tensors = graph.surgeon.tensors()
    known = {
        number: tensors[f"t{number}"] for number in range(len(drawing.sources)) if f"t{number}" in tensors
    }
    return graph, Flow(graph), known


def dominates(drawing: Drawing, one: int, other: int) -> bool:
    """By definition: without ``one`` no data gets from a graph input to ``other``."""
    return one != other and other not in drawing.reached(drawing.inputs, without=one)


def postdominates(drawing: Drawing, one: int, other: int) -> bool:
    """By definition: without ``one`` no data gets from ``other`` to a graph output."""
    ends = drawing.reached(frozenset(drawing.outputs), without=one, up=True)
    return one != other and other not in ends


def numbers(tensors: list[object]) -> list[int]:
    return [int(tensor.name[1:]) for tensor in tensors]  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None)
@given(drawings())
def test_dominators_are_what_every_path_passes_through(drawing: Drawing) -> None:
    _, flow, tensors = opened(drawing)
    live = drawing.live()

    for item in live:
        found = numbers(flow.dominators(tensors[item]))
        assert set(found) == {other for other in live if dominates(drawing, other, item)}
        assert all(dominates(drawing, far, near) for near, far in pairwise(found))


@settings(max_examples=40, deadline=None)
@given(drawings())
def test_postdominators_are_what_every_path_onward_passes_through(drawing: Drawing) -> None:
    _, flow, tensors = opened(drawing)
    live = drawing.live()

    for item in live:
        found = numbers(flow.postdominators(tensors[item]))
        assert set(found) == {other for other in live if postdominates(drawing, other, item)}
        assert all(postdominates(drawing, far, near) for near, far in pairwise(found))


@settings(max_examples=40, deadline=None)
@given(drawings(), st.data())
def test_the_common_dominator_is_the_nearest_that_all_share(drawing: Drawing, data: st.DataObject) -> None:
    _, flow, tensors = opened(drawing)
    live = sorted(drawing.live())
    if not live:
        return
    chosen = data.draw(st.lists(st.sampled_from(live), min_size=1, max_size=3, unique=True))

    found = flow.dominator([tensors[item] for item in chosen])

    shared = {i for i in live if all(i == item or dominates(drawing, i, item) for item in chosen)}
    nearest = [i for i in shared if all(i == other or dominates(drawing, other, i) for other in shared)]
    assert ([] if found is None else numbers([found])) == nearest


@settings(max_examples=40, deadline=None)
@given(drawings())
def test_constants_are_no_part_of_the_flow(drawing: Drawing) -> None:
    _, flow, tensors = opened(drawing)
    live, fed = drawing.live(), drawing.reached(drawing.inputs)
    useful = drawing.reached(frozenset(drawing.outputs), up=True)

    for number, tensor in tensors.items():
        if number in useful:  # as after tidying
            assert flow.is_constant(tensor) == (number not in fed)
        if number in live:
            assert set(numbers(flow.sources(tensor))) == set(drawing.sources[number]) & live


def test_what_only_constants_feed_has_no_dominator_to_share() -> None:
    graph = open_graph(
        parse(
            """(float[2] x, float[2] y) => (float[2] z)
            <float[2] one = {1, 1}>
            {
                two = Add (one, one)
                a = Mul (x, two)
                b = Mul (y, two)
                z = Add (a, b)
            }"""
        )
    )
    flow, tensors = Flow(graph), graph.surgeon.tensors()

    assert flow.is_constant(tensors["two"])
    assert flow.dominator([tensors["a"], tensors["b"]]) is None
    assert flow.dominators(tensors["z"]) == []
    assert flow.postdominators(tensors["x"]) == [tensors["a"], tensors["z"]]
