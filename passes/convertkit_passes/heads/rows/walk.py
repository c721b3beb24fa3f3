"""Following the rows of an NMS through everything that is computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convertkit.api import graphs, passes
from convertkit.api.heads import Nms, Refused, head_of, name_of
from convertkit_passes.heads.rows.layout import Rows
from convertkit_passes.heads.types import Node, Tensor

NMS = "MulticlassNms"

KEEP_ORDER = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
"""Their elements stay in order; only the shape changes."""

SHAPED = frozenset({"Reshape", "Expand"})
"""Their second input is the shape."""

PAIRED = frozenset({
    "Add", "And", "Clip", "Concat", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual",
    "Max", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub", "Where", "Xor",
})  # fmt: skip
"""A constant beside the rows may have a value for each; axes are counted from the last."""

ENDS = frozenset({
    "ArgMax", "ArgMin", "NonMaxSuppression", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceProd", "ReduceSum", "TopK",
})  # fmt: skip
"""What they give may have another number of rows, or none: they choose among those they get."""

PLACES = frozenset({"GatherElements", "GatherND", "ScatterElements", "ScatterND"})
"""They take places, which may be of rows that go."""


@dataclass
class Walk:
    """Shrinks tensors and constants, in place, from ``old`` rows of an NMS to ``new``.

    Attributes:
        rows: of every tensor that has them, by id.
    """

    graph: passes.Graph
    old: int
    new: int
    rows: dict[int, Rows] = field(default_factory=dict)
    _main: set[int] = field(default_factory=set)
    _shrunk: list[tuple[Tensor, list[int]]] = field(default_factory=list)

    def run(self, nms: Nms) -> None:
        """Follows the boxes ``(B, K, 4)``, scores and classes ``(B, K)`` of an NMS.

        Raises:
            Refused: at the first node behind that cannot be told to have as many rows, with its operator.
        """
        self.graph.surgeon.toposort()
        nodes = self.graph.nodes
        self._main = {id(node) for node in nodes}
        for tensor in nms.node.outputs[:3]:
            self._shrink(tensor, Rows(1))
        for node in nodes:
            found = {
                slot: self.rows[id(item)] for slot, item in enumerate(node.inputs) if id(item) in self.rows
            }
            if found:
                self._follow(node, found)

    def _shrink(self, tensor: Tensor, rows: Rows) -> None:
        for node in tensor.outputs:
            if id(node) not in self._main:
                raise _refused(
                    node, f"it sits inside another node and reads {tensor.name}; cut-loops may cut that off"
                )
        tensor.shape = list(rows.resized(tensor.shape, self.new))
        self.rows[id(tensor)] = rows
        self._shrunk.append((tensor, tensor.shape))

    def restate(self) -> None:
        """Writes the new shapes down once more, where something has taken them back."""
        for tensor, shape in self._shrunk:
            tensor.shape = shape

    def _follow(self, node: Node, found: Mapping[int, Rows]) -> None:
        if any(True for _ in node.subgraphs()):
            raise _refused(node, "nodes inside it may count them; cut-loops may cut it off")
        if node.op in PLACES:
            raise _refused(node, "it takes places, which may be of rows that go")
        rows = self._agreed(node, found)
        before = [graphs.static_shape(item) for item in node.outputs]
        self._shrink_constants(node, found, rows, before[0])
        for output, was, now in zip(node.outputs, before, self._inferred(node), strict=True):
            self._judge(node, output, (was, now), rows)

    def _agreed(self, node: Node, found: Mapping[int, Rows]) -> Rows:
        """The rows of what the node takes, on the axis of the first."""
        if node.op == "Gather" and 1 in found:
            return found[1]  # picks, row by row, out of whatever there is
        first = next(iter(found.values()))
        if any((item.outer, item.inner) != (first.outer, first.inner) for item in found.values()):
            raise _refused(node, "its inputs have them in different orders")
        return first

    def _shrink_constants(self, node: Node, found: Mapping[int, Rows], rows: Rows, result: Any) -> None:
        slot = next(slot for slot, item in found.items() if item == rows)
        rank = len(node.inputs[slot].shape)
        if node.op in SHAPED and result is not None and slot == 0:
            self._shrink_shape(node, rows, rank, result)
            return
        for place, item in enumerate(node.inputs):
            aligned = node.op in PAIRED or (node.op == "RoiAlign" and place == 2)
            if place in found or not aligned or item.is_empty() or not item.shape:
                continue
            axis = 0 if node.op == "RoiAlign" else len(item.shape) - rank + rows.axis
            if axis >= 0 and item.shape[axis] == rows.size(self.old):
                self._replace(node, place, rows.on(axis))

    def _shrink_shape(self, node: Node, rows: Rows, rank: int, result: tuple[int, ...]) -> None:
        """The target of a Reshape or Expand to ``result``."""
        target = graphs.constant_value(self.graph, node.inputs[1])
        before = rows.resized(node.inputs[0].shape, self.old)
        keeps = node.op in KEEP_ORDER
        after = rows.moved(before, result, self.old) if keeps else rows.on(len(result) - rank + rows.axis)
        if target is None or after is None:
            raise _refused(
                node, "its shape does not follow from the graph; fold-constants before it may help"
            )
        if target[after.axis - len(result)] == after.size(self.old):
            values = np.array(target)
            values[after.axis - len(result)] = after.size(self.new)
            node.inputs[1] = self.graph.constant(values, name="shape")

    def _replace(self, node: Node, place: int, rows: Rows) -> None:
        values = graphs.constant_value(self.graph, node.inputs[place])
        if values is None:
            name = node.inputs[place].name
            raise _refused(node, f"{name} has a value for each, too, and does not come from this NMS")
        name = f"{node.inputs[place].name}_of_fewer"
        node.inputs[place] = self.graph.constant(rows.first(values, self.old, self.new), name=name)

    def _inferred(self, node: Node) -> list[tuple[int, ...] | None]:
        """The shapes of the outputs, from what the node takes now."""
        copies = [type(item)(item.name, item.dtype, None) for item in node.outputs]
        alone = type(node)(
            node.op,
            self.graph.fresh_name(name_of(node)),
            dict(node.attrs),
            list(node.inputs),
            copies,
            node.domain,
        )
        try:
            given = [item for item in node.inputs if not graphs.is_initializer(item) and not item.is_empty()]
            unique = {id(item): item for item in given}
            region = graphs.Region(self.graph, tuple(unique.values()), tuple(copies), (alone,))
            found = graphs.inferred(region.model()).graph.output
        except passes.GraphError as error:
            raise _refused(node, f"it does not take fewer: {error.message}") from error
        finally:
            alone.inputs.clear()
        return [_static(value) for value in found]

    def _judge(self, node: Node, output: Tensor, shapes: tuple[Any, Any], rows: Rows) -> None:
        was, now = shapes
        ends = node.op in ENDS or head_of(node) == NMS
        if ends and (was is None or was == now):
            return
        changed = (
            []
            if None in shapes
            else [axis for axis, pair in enumerate(zip(was, now, strict=True)) if len(set(pair)) > 1]
        )
        if node.op in KEEP_ORDER and len(changed) == 1:
            rows = rows.moved(rows.resized(node.inputs[0].shape, self.old), was, self.old) or rows
        if len(changed) != 1 or (was[changed[0]], now[changed[0]]) != (
            rows.size(self.old),
            rows.size(self.new),
        ):
            raise _refused(node, f"{output.name} {_text(was)} would be {_text(now)}")
        self._shrink(output, rows.on(changed[0]))


def _refused(node: Node, why: str) -> Refused:
    return Refused(f"{node.op} {name_of(node)!r} behind it: {why}", node.outputs[0])


def _static(value: Any) -> tuple[int, ...] | None:
    kind = value.type.tensor_type
    if not kind.HasField("shape") or not all(dim.HasField("dim_value") for dim in kind.shape.dim):
        return None
    return tuple(dim.dim_value for dim in kind.shape.dim)


def _text(shape: Any) -> str:
    return "of open shape" if shape is None else f"({', '.join(map(str, shape))})"
