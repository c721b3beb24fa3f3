"""Where two graphs begin to differ: tensors that both have by name, compared on one sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.bisection.recorder import Recorder
from convertkit.errors import GraphError
from convertkit.graph.graph import Graph, Node, Tensor
from convertkit.graph.region import cut

FIRST = 24
"""How many of the diverging tensors are tried, from the first on."""

DETOURS = (0, 1, 2, 4, 8)
"""How many nodes beyond the nearest agreeing tensor a region may begin: a pass may match more than it breaks."""


def compare(before: Recorder, after: Recorder, limit: float) -> tuple[frozenset[str], tuple[str, ...]]:
    """The tensors on which two graphs agree, and those on which they do not, in the first one's file order.

    Args:
        limit: largest difference that still agrees, relative to the largest value.
    """
    common = set(before.names) & set(after.names)
    agree: set[str] = set()
    differ: set[str] = set()
    for old in before.chunks([name for name in before.names if name in common]):
        for new in after.chunks(old):
            for name, value in new.items():
                (agree if agrees(old[name], value, limit) else differ).add(name)
    return frozenset(agree), tuple(name for name in before.names if name in differ)


def agrees(old: NDArray[Any], new: NDArray[Any], limit: float) -> bool:
    """Whether two arrays of one shape are equal, or (floats) within ``limit`` of the largest finite value."""
    if old.shape != new.shape:
        return False
    if np.array_equal(old, new, equal_nan=old.dtype.kind == new.dtype.kind == "f"):
        return True
    if limit == 0 or old.dtype.kind not in "fiub" or new.dtype.kind not in "fiub":
        return False
    a, b = old.astype(np.float64), new.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return False
    finite = np.isfinite(a)
    scale = np.abs(a[finite]).max(initial=0.0)
    return bool(np.abs(a[finite] - b[finite]).max(initial=0.0) <= limit * scale)


def regions(graph: Graph, agree: frozenset[str], differ: tuple[str, ...]) -> Iterator[frozenset[int]]:
    """Parts of a graph in which it may have gone wrong, the smallest first, as positions of nodes in file order.

    Each lies between tensors that still agree and one of the first that do not.
    """
    tensors = graph.surgeon.tensors()
    place = {id(node): position for position, node in enumerate(graph.nodes)}
    found: set[frozenset[int]] = set()
    for name in differ[:FIRST]:
        for detour in DETOURS:
            nodes = _between(graph, tensors[name], agree, detour) if name in tensors else ()
            found.add(frozenset(place[id(node)] for node in nodes))
    yield from sorted(found - {frozenset()}, key=lambda part: (len(part), sorted(part)))


def _between(graph: Graph, tensor: Tensor, agree: frozenset[str], detour: int) -> tuple[Node, ...]:
    try:
        return cut(graph, [tensor], _borders(graph, tensor, agree, detour)).nodes
    except GraphError:  # it leads to a tensor that nobody makes
        return ()


def _borders(graph: Graph, tensor: Tensor, agree: frozenset[str], detour: int) -> list[Tensor]:
    """Upstream of ``tensor``: graph inputs, and tensors that agree, ``detour`` nodes beyond the nearest of them."""
    inputs = {id(item) for item in graph.inputs}
    best: dict[int, int] = {}
    borders: dict[int, Tensor] = {}
    waiting = [(tensor, detour)]
    while waiting:
        item, left = waiting.pop()
        if best.get(id(item), -1) >= left:
            continue
        best[id(item)] = left
        settled = item.name in agree
        if id(item) in inputs or (settled and left == 0):
            borders[id(item)] = item
            continue
        borders.pop(id(item), None)  # reached before with less left to go
        onward = left - 1 if settled else left
        waiting.extend((source, onward) for node in item.inputs for source in node.inputs)
    return list(borders.values())
