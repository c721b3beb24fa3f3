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
        ("i = ArgMax <axis = 1> (x) s = Cast <to = 6> (i) y = Cast <to = 7> (s)", 0, 6),
        ("i = ArgMax <axis = 1> (x) j = Add (i, most) s = Cast <to = 3> (j) y = Cast <to = 7> (s)", 121, 127),
        (
            "i = ArgMax <axis = 1> (x) j = Sub (i, most) k = Sub (j, one) l = Sub (k, one)"
            " s = Cast <to = 3> (l) y = Cast <to = 7> (s)",
            -123,
            -117,
        ),
        (
            "i = ArgMax <axis = 1> (x) j = Add (i, most) k = Add (j, one)"
            " s = Cast <to = 3> (k) y = Cast <to = 7> (s)",
            -np.inf,
            np.inf,
        ),
        ("z = Sigmoid (x) y = Cast <to = 7> (z)", -np.inf, np.inf),
        ("v, i = TopK (x, one) y = Mod <fmod = 1> (i, four)", -np.inf, np.inf),
    ],
)
def test_indices_and_rests(body: str, low: float, high: float) -> None:
    constants = "<int64[1] one = {1}, int64 four = {4}, int64 minus = {-4}, int64 most = {121}>"
    graph = open_graph(parse(f"(float[3,7] x) => (int64[a,b] y) {constants} {{ {body} }}"))
    annotate(graph)

    found = bounds(graph, graph.outputs[0])

    assert (found.low, found.high) == (low, high)
