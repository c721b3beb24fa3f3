"""The graph in front of an If, run on its own with as many rows as one likes.

It runs from tensors of fixed size on, which get random values; whatever has as many rows as the data say (NonZero,
NonMaxSuppression, an open size of an input) is tried with none. So all that the branches read is as empty as the graph
itself makes it. More is tried than can happen, because tensors that hang together are drawn apart: this may refuse an
If that could go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from convertkit.api import graphs, passes

ROWS = {"NonZero": 1, "NonMaxSuppression": 0, "Compress": 0}
"""Operators whose result has as many rows as the data say, and the axis of the rows."""
ALL, FULL = np.iinfo(np.int64).max, 3
"""Rows that an operator keeps, and the size of an open axis of an input, where it is not to be empty."""
SCALES = (1.0, 100.0)
"""Of the random values, one draw each."""


def reaching(graph: graphs.Graph, names: Set[str]) -> Iterator[dict[str, NDArray[Any]]]:
    """Values of the tensors ``names`` as they may come about together; the graph stays as it is.

    Raises:
        GraphError: they depend on what a body computes, or on an input of which not even the rank is known.
    """
    copy = graphs.open_graph(graph.model())
    graphs.annotate(copy)
    tensors = copy.surgeon.tensors()
    bodies = [part.tensors() for part in copy.parts[1:]]
    front = Front(
        copy, [next(one[name] for one in (tensors, *bodies) if name in one) for name in sorted(names)]
    )
    front.open()
    return front.values()


@dataclass
class Front:
    """What computes ``read``, from tensors of fixed size and from inputs on.

    Attributes:
        graph: a graph without the If; :meth:`open` puts limits on rows into it.
        read: the tensors asked for.
        borders: what gets random values, with its sizes; a str is a switch.
        limits: the number of rows let through, by the switch.
    """

    graph: graphs.Graph
    read: Sequence[Any]
    borders: list[tuple[Any, tuple[int | str, ...]]] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)

    def open(self) -> None:
        """Finds the borders, and limits the rows of every operator on the way.

        Raises:
            GraphError: the way leads through a body, or to an input of which not even the rank is known.
        """
        waiting, seen = list(self.read), set[int]()
        while waiting:
            tensor = waiting.pop()
            if id(tensor) in seen or graphs.is_initializer(tensor) or tensor.is_empty():
                continue
            seen.add(id(tensor))
            if _is_border(tensor):
                self.borders.append((tensor, _sides(tensor)))
                continue
            for maker in list(tensor.inputs):
                if any(True for _ in maker.subgraphs()):
                    raise passes.GraphError(f"it reads what {maker.op} {maker.name!r} makes, which stays")
                waiting.extend(maker.inputs)
                if maker.op in ROWS and maker.name not in self.limits:
                    self._limit(maker)

    def values(self) -> Iterator[dict[str, NDArray[Any]]]:
        """What is read, by name, for one position of the switches after the other; where the graph fails, nothing."""
        inputs = [tensor for tensor, _ in self.borders]
        known = {id(tensor) for tensor in inputs}
        region = graphs.cut(
            self.graph,
            [tensor for tensor in self.read if id(tensor) not in known],
            [*inputs, *self.limits.values()],
        )
        names = [tensor.name for tensor in (*region.outputs, *inputs)]
        for scale in SCALES:
            for closed in self._positions():
                drawn = self._drawn(scale, closed)
                rows = [np.array([0 if name in closed else ALL], np.int64) for name in self.limits]
                try:
                    found = region.run(*drawn, *rows) if region.outputs else ()
                except passes.GraphError:
                    continue
                yield dict(zip(names, [*found, *drawn], strict=True))

    def _limit(self, node: Any) -> None:
        """Puts a Slice with a variable end behind the first result of ``node``."""
        rows = node.outputs[0]
        free = gs.Variable(self.graph.fresh_name(f"{rows.name}_all"), rows.dtype)
        end = gs.Variable(self.graph.fresh_name(f"{rows.name}_rows"), np.int64, [1])
        axis = node.attrs.get("axis", ROWS[node.op])
        node.outputs[0] = free
        start, axes = self.graph.constant(np.array([0])), self.graph.constant(np.array([axis]))
        self.graph.add("Slice", [free, start, end, axes], outputs=[rows])
        self.limits[node.name] = end

    def _positions(self) -> Iterator[Set[str]]:
        """Which switches are closed: all, each alone, all but one, none."""
        open_sides = (side for _, sides in self.borders for side in sides if isinstance(side, str))
        names = frozenset(open_sides).union(self.limits)
        one = [frozenset({name}) for name in sorted(names)]
        return iter(dict.fromkeys([names, *one, *(names - single for single in one), frozenset()]))

    def _drawn(self, scale: float, closed: Set[str]) -> list[NDArray[Any]]:
        random, drawn = np.random.default_rng(0), []
        for tensor, sides in self.borders:
            shape = [side if isinstance(side, int) else FULL * (side not in closed) for side in sides]
            whole = np.dtype(tensor.dtype).kind != "f"
            values = np.ones(shape) if whole else random.random(shape) * scale
            drawn.append(values.astype(tensor.dtype))
        return drawn


def _is_border(tensor: Any) -> bool:
    """Whether its values, but not its size, depend on the data: numbers of a fixed shape; or an input."""
    if not tensor.inputs:
        return True
    real = tensor.dtype is not None and np.dtype(tensor.dtype).kind == "f"
    return bool(real and tensor.shape and all(isinstance(side, int) for side in tensor.shape))


def _sides(tensor: Any) -> tuple[int | str, ...]:
    if tensor.shape is None or tensor.dtype is None:
        raise passes.GraphError(f"nothing is known about the shape of {tensor.name!r}")
    return tuple(side if isinstance(side, int) else side or tensor.name for side in tensor.shape)
