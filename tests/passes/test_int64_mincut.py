"""The minimum cut against trying every cut."""

from __future__ import annotations

import itertools

import pytest
from convertkit_passes.int64.mincut import ENDLESS, source_side
from hypothesis import given, settings
from hypothesis import strategies as st

Arcs = list[tuple[int, int, int]]
VERTICES = range(6)


def cost(arcs: Arcs, side: frozenset[int]) -> int:
    return sum(capacity for start, end, capacity in arcs if start in side and end not in side)


def every_side() -> list[frozenset[int]]:
    inner = [vertex for vertex in VERTICES if vertex not in (0, 1)]
    chosen = itertools.chain.from_iterable(
        itertools.combinations(inner, size) for size in range(len(inner) + 1)
    )
    return [frozenset({0, *vertices}) for vertices in chosen]


arcs_of_a_graph = st.lists(
    st.tuples(st.sampled_from(VERTICES), st.sampled_from(VERTICES), st.sampled_from([1, 1, 2, 3, ENDLESS])),
    max_size=14,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(arcs_of_a_graph)
def test_the_cut_is_the_cheapest_and_the_side_the_smallest(arcs: Arcs) -> None:
    side = source_side(arcs, 0, 1)

    best = min(cost(arcs, other) for other in every_side())
    if best < ENDLESS:
        assert cost(arcs, side) == best
        assert all(side <= other for other in every_side() if cost(arcs, other) == best)


def test_an_example() -> None:
    arcs = [(0, 2, ENDLESS), (0, 3, ENDLESS), (2, 4, 1), (3, 4, 1), (4, 5, 1), (5, 1, ENDLESS)]

    assert source_side(arcs, 0, 1) == {0, 2, 3, 4}
