"""Dominators of a graph's tensors: through which single tensor everything has to pass.

A tensor d dominates t when every path of data from a graph input to t passes through d; it post-dominates t when every
path from t to a graph output does. Constants, and what is computed from constants alone, are no part of any path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import onnx_graphsurgeon as gs

from convertkit.graph.graph import Graph, Tensor

Neighbours = Callable[[Tensor], list[Tensor]]


@dataclass
class _Tree:
    """Immediate dominators of a directed acyclic graph (Cooper, Harvey, Kennedy 2001; one pass suffices here)."""

    up: dict[int, Tensor | None] = field(default_factory=dict)
    depth: dict[int, int] = field(default_factory=dict)

    def grow(self, order: Sequence[Tensor], before: Neighbours, roots: set[int]) -> None:
        for tensor in order:
            parents = [item for item in before(tensor) if id(item) in self.depth]
            parent = None if id(tensor) in roots else self.common(parents)
            self.up[id(tensor)] = parent
            self.depth[id(tensor)] = 0 if parent is None else self.depth[id(parent)] + 1

    def common(self, tensors: Sequence[Tensor]) -> Tensor | None:
        """The nearest that dominates all (one of them may be it); None where only the virtual root does."""
        found = tensors[0] if tensors else None
        for other in tensors[1:]:
            found = self._meet(found, other)
        return found

    def chain(self, tensor: Tensor) -> list[Tensor]:
        """What dominates ``tensor``, nearest first, without itself."""
        found: list[Tensor] = []
        above = self.up.get(id(tensor))
        while above is not None:
            found.append(above)
            above = self.up[id(above)]
        return found

    def _meet(self, a: Tensor | None, b: Tensor | None) -> Tensor | None:
        while a is not None and b is not None and a is not b:
            if self.depth[id(a)] >= self.depth[id(b)]:
                a = self.up[id(a)]
            else:
                b = self.up[id(b)]
        return a if a is b else None


class Flow:
    """Dominators and post-dominators of a graph as it is now; make a new one after an edit."""

    def __init__(self, graph: Graph) -> None:
        self._live = _computed(graph)
        self._graph_inputs, self._graph_outputs = _ids(graph.inputs), _ids(graph.outputs)
        order = [tensor for tensor in _sorted(graph) if id(tensor) in self._live]
        self._down, self._up = _Tree(), _Tree()
        self._down.grow(order, self.sources, self._graph_inputs)
        self._up.grow(order[::-1], self.results, self._graph_outputs)

    def sources(self, tensor: Tensor) -> list[Tensor]:
        """The tensors that ``tensor`` is directly computed from, without constants."""
        return [item for node in tensor.inputs for item in node.inputs if id(item) in self._live]

    def results(self, tensor: Tensor) -> list[Tensor]:
        """The tensors that are directly computed from ``tensor``."""
        return [item for node in tensor.outputs for item in node.outputs if id(item) in self._live]

    def is_constant(self, tensor: Tensor) -> bool:
        """Whether no graph input has a part in ``tensor``, or no graph output needs it."""
        return id(tensor) not in self._live

    def dominators(self, tensor: Tensor) -> list[Tensor]:
        """The tensors through which all data of ``tensor`` passes, nearest first, without itself."""
        return self._down.chain(tensor)

    def dominator(self, tensors: Iterable[Tensor]) -> Tensor | None:
        """The nearest tensor that dominates all of these; None where there is no single one."""
        return self._down.common([item for item in tensors if id(item) in self._live])

    def postdominators(self, tensor: Tensor) -> list[Tensor]:
        """The tensors through which everything made from ``tensor`` passes, nearest first, without itself."""
        return self._up.chain(tensor)


def _ids(tensors: Iterable[Tensor]) -> set[int]:
    return {id(item) for item in tensors}


def _sorted(graph: Graph) -> list[Tensor]:
    """Graph inputs, then the outputs of all nodes by data flow."""
    graph.surgeon.toposort()
    return [*graph.inputs, *(tensor for node in graph.nodes for tensor in node.outputs)]


def _computed(graph: Graph) -> set[int]:
    """Tensors that depend on a graph input and lead to a graph output."""
    forward = _reach(graph.inputs, lambda tensor: [out for node in tensor.outputs for out in node.outputs])
    backward = _reach(graph.outputs, lambda tensor: [item for node in tensor.inputs for item in node.inputs])
    return forward & backward


def _reach(start: Iterable[Tensor], step: Neighbours) -> set[int]:
    waiting = list(start)
    seen: set[int] = set()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen or isinstance(tensor, gs.Constant):
            continue
        seen.add(id(tensor))
        waiting.extend(step(tensor))
    return seen
