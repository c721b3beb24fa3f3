"""Bounds of places along an axis and of rests, from which labels are known."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.graph.graph import open_graph
from convertkit.graph.shapes import annotate
from convertkit.graph.values import bounds
from tests.graphtext import parse


@pytest.mark.parametrize(
    ("body", "low", "high"),
    [
        ("y = ArgMax <axis = 1> (x)", 0, 6),
        ("y = ArgMin <axis = -1> (x)", 0, 6),
        ("y = ArgMax (x)", 0, 2),
        ("v, y = TopK (x, one)", 0, 6),
        ("v, i = TopK (x, one) y = Mod (i, four)", 0, 3),
        ("v, i = TopK (x, one) y = Mod (i, minus)", -np.inf, np.inf),
        ("v, i = TopK (x, one) y = Mod (i, i)", -np.inf, np.inf),
        ("v, i = TopK (x, one) y = Mod <fmod = 1> (i, four)", -np.inf, np.inf),
    ],
)
def test_indices_and_rests(body: str, low: float, high: float) -> None:
    constants = "<int64[1] one = {1}, int64 four = {4}, int64 minus = {-4}>"
    graph = open_graph(parse(f"(float[3,7] x) => (int64[a,b] y) {constants} {{ {body} }}"))
    annotate(graph)

    found = bounds(graph, graph.outputs[0])

    assert (found.low, found.high) == (low, high)
