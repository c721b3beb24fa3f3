"""The minimum cut of a small directed graph (Edmonds-Karp)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import pairwise

ENDLESS = 1 << 40
"""The capacity of an arc that no cut may cross."""


def source_side(arcs: Iterable[tuple[int, int, int]], source: int, sink: int) -> frozenset[int]:
    """The smallest set of vertices on the source's side of a minimum cut.

    It is the same for every maximum flow, and so the same in every run.

    Args:
        arcs: (from, to, capacity), capacities being small integers or :data:`ENDLESS`.
    """
    rest: dict[int, dict[int, int]] = defaultdict(dict)
    for start, end, capacity in arcs:
        rest[start][end] = rest[start].get(end, 0) + capacity
        rest[end].setdefault(start, 0)
    while True:
        parents = _reach(rest, source)
        if sink not in parents:
            return frozenset(parents)
        _push(rest, parents, source, sink)


def _reach(rest: dict[int, dict[int, int]], source: int) -> dict[int, int]:
    """Each vertex reachable over arcs with capacity left, and the one it was reached from."""
    parents = {source: source}
    queue = deque([source])
    while queue:
        vertex = queue.popleft()
        for neighbour, capacity in rest[vertex].items():
            if capacity > 0 and neighbour not in parents:
                parents[neighbour] = vertex
                queue.append(neighbour)
    return parents


def _push(rest: dict[int, dict[int, int]], parents: dict[int, int], source: int, sink: int) -> None:
    path = [sink]
    while path[-1] != source:
        path.append(parents[path[-1]])
    path.reverse()
    amount = min(rest[start][end] for start, end in pairwise(path))
    for start, end in pairwise(path):
        rest[start][end] -= amount
        rest[end][start] += amount
