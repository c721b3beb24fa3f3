"""Which node of one graph is which of another.

What is equal as far back as its inputs reach, or as far on as its outputs reach, is the same, whatever it is called.
From there on neighbours are found: the only reader of its kind of a tensor that is the same, the only maker of its kind
of an input. Names say what is left. So a node that was moved, retyped or given other weights is found again, and two
nodes that an exporter numbered alike are not taken for one.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cached_property

from convertkit.graph.difference.drawing import Drawing, Vertex

Key = Callable[[Vertex], Hashable]


class Alignment:
    """Nodes and tensors of two graphs, paired.

    Attributes:
        pairs: nodes of the first graph by index, each with its index in the second.
        tensors: names in the first graph, each with the name in the second: graph inputs, and outputs of paired nodes.
        ends: the same for graph outputs, by their place.
    """

    def __init__(self, first: Drawing, second: Drawing) -> None:
        self.first, self.second = first, second
        self.pairs: dict[int, int] = {}
        self._taken: set[int] = set()
        self.tensors = _ends(first.inputs, second.inputs)
        self.ends = _ends(first.outputs, second.outputs)
        self._exact, loose = (
            [
                _Story(first, self.tensors, self.ends, exact=exact),
                _Story(second, self.tensors.values(), self.ends.values(), exact=exact),
            ]
            for exact in (True, False)
        )
        for keys in self._keys(*self._exact, *loose):
            for one, other in keys:
                self._by_key(one, other)
            self._spread()

    def same(self, one: str, other: str) -> bool:
        """Whether a tensor of the first graph and one of the second are the same: paired, or made alike of the same."""
        value = self._exact[0].values.get(one)
        return self.tensors.get(one) == other or (
            value is not None and value == self._exact[1].values.get(other)
        )

    @staticmethod
    def _keys(
        first: _Story, second: _Story, loose: _Story, loosely: _Story
    ) -> Iterator[list[tuple[Key, Key]]]:
        """What tells nodes apart, the surest first; after each part neighbours are found."""
        yield [
            (first.both, second.both),
            (lambda vertex: first.past[vertex.index], lambda vertex: second.past[vertex.index]),
            (lambda vertex: first.future[vertex.index], lambda vertex: second.future[vertex.index]),
        ]
        yield [(loose.both, loosely.both)]
        yield [(_named, _named)]

    @cached_property
    def back(self) -> dict[str, str]:
        """``tensors``, the other way round."""
        return {twin: name for name, twin in self.tensors.items()}

    def _free(self, vertices: Iterable[Vertex], taken: Iterable[int]) -> list[Vertex]:
        return [vertex for vertex in vertices if vertex.index not in taken]

    def _by_key(self, one: Key, other: Key) -> None:
        """Pairs nodes with a key of their own, or of as many in both graphs: then in their order."""
        mine, theirs = defaultdict(list), defaultdict(list)
        for vertex in self._free(self.first.vertices, self.pairs):
            mine[one(vertex)].append(vertex)
        for vertex in self._free(self.second.vertices, self._taken):
            theirs[other(vertex)].append(vertex)
        for key, group in mine.items():
            if len(theirs.get(key, ())) == len(group):
                for vertex, match in zip(group, theirs[key], strict=True):
                    self._pair(vertex, match)

    def _pair(self, one: Vertex, other: Vertex) -> None:
        self.pairs[one.index] = other.index
        self._taken.add(other.index)
        self.tensors.update(
            (name, found) for name, found in zip(one.outputs, other.outputs, strict=False) if name and found
        )

    def _spread(self) -> None:
        """From what is paired to its only neighbours of a kind, till nothing is left to be found."""
        waiting = [*self.tensors.items(), *self.ends.items()]
        waiting += [pair for one, other in self.pairs.items() for pair in self._read(one, other)]
        while waiting:
            for one, other in self._near(*waiting.pop()):
                if one.index in self.pairs or other.index in self._taken:
                    continue
                self._pair(one, other)
                waiting += self._read(one.index, other.index)
                waiting += zip(one.outputs, other.outputs, strict=False)

    def _read(self, one: int, other: int) -> Iterator[tuple[str, str]]:
        return zip(self.first.vertices[one].inputs, self.second.vertices[other].inputs, strict=False)

    def _near(self, one: str, other: str) -> Iterator[tuple[Vertex, Vertex]]:
        """Nodes of one kind that write, or that read as the only ones, two tensors that have the same place."""
        made, found = self.first.makers.get(one), self.second.makers.get(other)
        if made and found and (made[0].op, made[1]) == (found[0].op, found[1]):
            yield made[0], found[0]
        mine = _alone(self.first.readers.get(one, ()), self.pairs)
        theirs = _alone(self.second.readers.get(other, ()), self._taken)
        for kind in mine.keys() & theirs.keys():
            yield mine[kind], theirs[kind]


def _alone(readers: Sequence[tuple[Vertex, int]], taken: Iterable[int]) -> dict[tuple[str, int], Vertex]:
    """The readers, by operator and place, of which there is one."""
    found = defaultdict(list)
    for vertex, slot in readers:
        if vertex.index not in taken:
            found[vertex.op, slot].append(vertex)
    return {kind: group[0] for kind, group in found.items() if len(group) == 1}


def _ends(first: Sequence[str], second: Sequence[str]) -> dict[str, str]:
    """Graph inputs or outputs by name, those left over by their order where there are as many."""
    same = {name: name for name in first if name in second}
    rest = [name for name in first if name not in same], [name for name in second if name not in same]
    return same | dict(zip(*rest, strict=True)) if len(rest[0]) == len(rest[1]) else same


def _named(vertex: Vertex) -> Hashable:
    return vertex.op, vertex.outputs


class _Story:
    """What tells the nodes of a graph apart, whatever their names: all that leads to one, all that is made of it.

    Attributes:
        past, future: by the node's index; tensors by name in ``values``, which are equal where what leads to them is.
    """

    def __init__(self, graph: Drawing, inputs: Iterable[str], outputs: Iterable[str], *, exact: bool) -> None:
        """``inputs``, ``outputs``: those that the graphs have in common; not ``exact``: without constants' values."""
        self._constants = {name: item.key if exact else item.kind for name, item in graph.constants.items()}
        self.values = self._constants | {name: f"in {place}" for place, name in enumerate(inputs)}
        self.past = [self._tell(vertex) for vertex in graph.vertices]
        self._uses = defaultdict(list, {name: [f"out {place}"] for place, name in enumerate(outputs)})
        self.future = [self._foretell(vertex) for vertex in reversed(graph.vertices)][::-1]

    def both(self, vertex: Vertex) -> Hashable:
        return self.past[vertex.index], self.future[vertex.index]

    def _tell(self, vertex: Vertex) -> str:
        key = _digest(_own(vertex), [self.values.get(name, "?") for name in vertex.inputs])
        self.values.update((name, f"{key} {slot}") for slot, name in enumerate(vertex.outputs) if name)
        return key

    def _foretell(self, vertex: Vertex) -> str:
        used = [",".join(sorted(self._uses[name])) for name in vertex.outputs]
        key = _digest(_own(vertex), [*used, "", *(self._constants.get(name, "") for name in vertex.inputs)])
        for slot, name in enumerate(vertex.inputs):
            self._uses[name].append(f"{key} {slot}")
        return key


def _own(vertex: Vertex) -> str:
    return f"{vertex.op} {sorted(vertex.attributes.items())} {len(vertex.outputs)}"


def _digest(own: str, parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join([own, *parts]).encode(errors="backslashreplace")).hexdigest()
