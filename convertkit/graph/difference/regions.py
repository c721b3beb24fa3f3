"""What was rewritten: nodes without a twin that hang together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from convertkit.graph.difference.alignment import Alignment
from convertkit.graph.difference.drawing import Drawing, Vertex

Item = TypeVar("Item")
Key = TypeVar("Key")


class Node(Struct, frozen=True):
    """A node by its name, or that of its first output; with its operator, the domain before it."""

    name: str
    op: str


class Region(Struct, frozen=True):
    """Nodes that hang together and took the place of others; either may be none.

    ``reads`` and ``gives`` are tensors of both graphs around it, by their names in the first.
    """

    removed: tuple[Node, ...]
    added: tuple[Node, ...]
    reads: tuple[str, ...]
    gives: tuple[str, ...]


def node_of(vertex: Vertex) -> Node:
    return Node(vertex.name, vertex.op)


def counted(nodes: Iterable[Node], most: int = 6) -> str:
    """``4 Cast, 2 Gather and 3 more``: the commonest operators first."""
    counts = Counter(node.op for node in nodes).most_common()
    rest = sum(number for _, number in counts[most:])
    return ", ".join(
        [*(f"{number} {op}" for op, number in counts[:most]), *([f"{rest} others"] if rest else [])]
    )


def alike(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """By a key, each group in the order of the items."""
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def kinds_of(regions: Iterable[Region]) -> list[list[Region]]:
    """Those that lost and got the same operators together; the most nodes first."""
    kinds = alike(regions, lambda region: (counted(region.removed), counted(region.added)))
    return sorted(kinds.values(), key=lambda group: -sum(len(one.removed) + len(one.added) for one in group))


def regions_of(found: Alignment) -> Iterator[Region]:
    """Connected parts of what has no twin; those that hand a paired node the same input are one."""
    alone = [_alone(found.first, found.pairs), _alone(found.second, set(found.pairs.values()))]
    parts = _Parts()
    for side, makers in enumerate(alone):
        for vertex in dict.fromkeys(makers.values()):
            parts.add((side, vertex))
            for name in vertex.inputs:
                if name in makers:
                    parts.join((side, vertex), (side, makers[name]))
    for was, now in _places(found):
        if was in alone[0] and now in alone[1]:
            parts.join((0, alone[0][was]), (1, alone[1][now]))
    for part in parts:
        yield _region(found, *([vertex for where, vertex in part if where == side] for side in (0, 1)))


def _alone(graph: Drawing, paired: Collection[int]) -> dict[str, Vertex]:
    """Nodes without a twin, by the tensors that they write."""
    alone = (vertex for vertex in graph.vertices if vertex.index not in paired)
    return {name: vertex for vertex in alone for name in vertex.outputs if name}


def _region(found: Alignment, removed: list[Vertex], added: list[Vertex]) -> Region:
    reads = [*_read(removed, found.tensors), *(found.back[name] for name in _read(added, found.back))]
    return Region(
        tuple(map(node_of, removed)),
        tuple(map(node_of, added)),
        tuple(dict.fromkeys(reads)),
        tuple(_leaving(found.first, removed) or _leaving(found.second, added)),
    )


def _places(found: Alignment) -> Iterator[tuple[str, str]]:
    """Tensors that a paired node, or the graph, takes in the same place."""
    for one, other in found.pairs.items():
        yield from zip(found.first.vertices[one].inputs, found.second.vertices[other].inputs, strict=False)
    yield from found.ends.items()


def _read(part: Iterable[Vertex], known: Collection[str]) -> Iterator[str]:
    """Tensors from outside of a part that both graphs have."""
    return (name for vertex in part for name in vertex.inputs if name in known)


def _leaving(graph: Drawing, part: Iterable[Vertex]) -> list[str]:
    """Tensors that others read, or the graph gives."""
    own = {vertex.index for vertex in part}
    written = [name for vertex in part for name in vertex.outputs if name]
    return [
        name
        for name in written
        if name in graph.outputs or any(reader.index not in own for reader, _ in graph.readers.get(name, ()))
    ]


Place = tuple[int, Vertex]


class _Parts:
    """Disjoint sets of nodes, in the order in which they were first seen."""

    def __init__(self) -> None:
        self._above: dict[Place, Place] = {}

    def add(self, item: Place) -> None:
        self._above.setdefault(item, item)

    def join(self, one: Place, other: Place) -> None:
        self._above[self._top(other)] = self._top(one)

    def _top(self, item: Place) -> Place:
        self.add(item)
        while self._above[item] != item:
            self._above[item] = item = self._above[self._above[item]]
        return item

    def __iter__(self) -> Iterator[list[Place]]:
        found: dict[Place, list[Place]] = {}
        for item in self._above:
            found.setdefault(self._top(item), []).append(item)
        yield from found.values()
