"""The range of every number, from types, shapes, constants and interval arithmetic.

Nothing is lost on the way: a constant, the filler of an empty reduction or the result of an unknown operator is part
of every range that it may reach, and a NaN passes every bound. Two things are taken for granted: a graph input of int64
holds what int32 can hold, and so do the sizes of every tensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs, passes
from convertkit_passes.int64 import interval
from convertkit_passes.int64.columns import Columns, derived_columns, stated_columns
from convertkit_passes.int64.interval import ANY, INT32, Interval, of_values, union
from convertkit_passes.int64.rules import computed, indices, peak
from convertkit_passes.int64.types import Types

_ADDS_UP = {"CumSum", "MatMul", "ReduceL1", "ReduceMean", "ReduceProd", "ReduceSum"}
"""Of floats they are rounded once per term: their bounds hold for integers only."""


class Ranges:
    """Ranges by tensor.

    Args:
        given: lowest and highest value of graph inputs, where they are known.
    """

    def __init__(
        self,
        graph: passes.Graph,
        types: Types | None = None,
        given: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self._types = types or Types(graph)
        self._known: dict[int, Interval] = {}
        self._peaks: dict[int, Interval] = {}
        self._columns: dict[int, Columns] = {}
        for tensor in graph.inputs:
            told = (given or {}).get(tensor.name)
            if told is not None or self._types.is_int64(tensor):
                value = Interval(*told) if told else replace(INT32, assumes=frozenset([tensor.name]))
                default = graph.default(tensor)
                whole = union([value, *([] if default is None else [of_values(default)])])
                self._known[id(tensor)] = interval.stored(whole, self._types.of(tensor))
        self._walk(graph.nodes)

    def of(self, tensor: Any) -> Interval:
        """The range of a tensor's values."""
        if id(tensor) not in self._known:
            self._known[id(tensor)] = self._stated(tensor)
        return self._known[id(tensor)]

    def peak(self, tensor: Any) -> Interval:
        """The range of what is computed on the way to a tensor (the sum of a mean), its values included."""
        return self._peaks.get(id(tensor), self.of(tensor))

    def _stated(self, tensor: Any) -> Interval:
        """What a tensor says by itself: a constant its values, everything else its type."""
        kind = self._types.of(tensor)
        if isinstance(tensor, gs.Constant) and kind is not None and kind.kind in "iubf":
            return of_values(graphs.values_of(tensor))
        return interval.of_type(kind)

    def _walk(self, nodes: Sequence[Any]) -> None:
        for node in nodes:
            branches = list(node.subgraphs()) if node.op == "If" else []
            for branch in branches:
                self._walk(branch.nodes)
            inputs = [self.of(tensor) for tensor in node.inputs]
            for position, tensor in enumerate(node.outputs):
                if branches:
                    value = most = union(self.of(branch.outputs[position]) for branch in branches)
                elif node.domain not in (None, "", "ai.onnx"):
                    known = position in graphs.index_outputs(node.domain, node.op)
                    value = most = interval.index(self._types.of(tensor)) if known else ANY
                else:
                    value, most = self._by_column(node, position) or self._output(node, position, inputs)
                self._known[id(tensor)] = interval.stored(value, self._types.of(tensor))
                self._peaks[id(tensor)] = most

    def _by_column(self, node: Any, position: int) -> tuple[Interval, Interval] | None:
        """The range of an output as the union of its columns; None where it has none."""
        source = self._columns.get(id(node.inputs[0])) if node.inputs else None
        columns = stated_columns(node) if source is None else derived_columns(node, position, source)
        kind = self._types.of(node.outputs[position])
        if columns is None or not columns.parts:
            return None
        if any(interval.stored(part, kind) != part for part in columns.parts):
            return None
        if columns.axis >= 0:
            self._columns[id(node.outputs[position])] = columns
        values = union(columns.parts)
        return values, values

    def _output(self, node: Any, position: int, inputs: Sequence[Interval]) -> tuple[Interval, Interval]:
        """The range of an output, and of everything computed on the way to it."""
        kind = self._types.of(node.outputs[position])
        found = indices(node, position)
        if found is None and (position == 0 or node.op == "Split") and not _is_inexact(node, kind):
            found = computed(node, inputs, interval.of_type(kind))
        if found is None or _may_be_nan(node, kind, inputs):
            return ANY, ANY
        if node.op in ("Cast", "CastLike"):
            found = _without_fraction(found, kind)
        found = replace(found, assumes=interval.assumed(inputs))
        return found, peak(node, inputs, found)


def _is_inexact(node: Any, kind: np.dtype[Any] | None) -> bool:
    return node.op in _ADDS_UP and (kind is None or kind.kind == "f")


def _may_be_nan(node: Any, kind: np.dtype[Any] | None, inputs: Sequence[Interval]) -> bool:
    """Whether a float comes of one that may be a NaN, which no bound stops: not Clip's, not Sigmoid's."""
    given = [value for tensor, value in zip(node.inputs, inputs, strict=True) if not tensor.is_empty()]
    return (kind is None or kind.kind == "f") and any(value.may_be_nan for value in given)


def _without_fraction(value: Interval, kind: np.dtype[Any] | None) -> Interval:
    """A Cast to an integer cuts off what follows the point."""
    if kind is None or kind.kind not in "iu" or not np.isfinite([value.low, value.high]).all():
        return value
    return replace(value, low=int(value.low), high=int(value.high))
