"""The graph as groups of int64 tensors: what one operator binds to one type variable changes type together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import onnx_graphsurgeon as gs

from convertkit_passes.int64 import interval
from convertkit_passes.int64.kernels import why_kept
from convertkit_passes.int64.ranges import Ranges
from convertkit_passes.int64.signature import Formal, Signature
from convertkit_passes.int64.types import RETARGETABLE, Types

if TYPE_CHECKING:
    from convertkit.api import passes


@dataclass(eq=False)
class Group:
    """The int64 slots of one type variable of one operator, or a graph input or output.

    Attributes:
        node: the operator; None for a graph input or output.
        what: names it in a sentence, such as ``input 2 (indices) of GatherND``.
        fixed: why it stays int64; None where it may become int32.
        wanted: it becomes int32 whatever that costs.
        kept: why it stays int64 although it was to become int32.
        writes: the tensors it produces.
        reads: (tensor, input index) of what it consumes; a graph output has its own index.
        assumes: the graph inputs that have to fit into int32 where this group is to be int32.
    """

    node: Any
    what: str
    fixed: str | None = None
    wanted: bool = False
    kept: str | None = None
    writes: list[Any] = field(default_factory=list)
    reads: list[tuple[Any, int]] = field(default_factory=list)
    assumes: frozenset[str] = frozenset()


def build_groups(
    graph: passes.Graph, *, inputs: bool, outputs: bool, ranges: Mapping[str, tuple[int, int]]
) -> list[Group]:
    """All groups of a graph, in file order.

    Args:
        inputs: graph inputs become int32.
        outputs: graph outputs become int32.
        ranges: lowest and highest value of graph inputs, where they are known.
    """
    types = Types(graph)
    known = Ranges(graph, types, ranges)
    if not types.has_onnx:
        return []
    groups = [_graph_input(tensor, known, inputs) for tensor in graph.inputs if types.is_int64(tensor)]
    for node in _live(graph):
        if any(types.is_int64(tensor) for tensor in (*node.inputs, *node.outputs, *subgraph_reads(node))):
            groups += _NodeGroups(node, types, known).build()
    own = {id(tensor) for tensor in graph.inputs}  # an output that is an input has the input's type
    for index, tensor in enumerate(graph.outputs):
        if types.is_int64(tensor) and id(tensor) not in own:
            groups.append(_graph_output(tensor, index, known, outputs))
    for group in groups:
        tensors = [*group.writes, *(tensor for tensor, _ in group.reads)]
        group.assumes = interval.assumed(known.of(tensor) for tensor in tensors)
    return groups


def is_clamped(node: Any, index: int) -> bool:
    """Whether an input means "as far as it goes" beyond int32: the starts and ends of a Slice.

    A dimension is shorter than 2^31, so that a start or end beyond int32 clips to the same place as the nearest
    int32; exporters write 2^63 - 1 for "to the end".
    """
    return node is not None and node.op == "Slice" and index in (1, 2)


def subgraph_reads(node: Any) -> Iterator[Any]:
    """The tensors that the subgraphs of a node read, their own among them."""
    for subgraph in node.subgraphs(recursive=True):
        for inner in subgraph.nodes:
            yield from inner.inputs
        yield from subgraph.outputs


def _live(graph: passes.Graph) -> list[Any]:
    """The nodes that an output depends on, in file order; the others are about to be removed."""
    queue = [node for tensor in graph.outputs for node in tensor.inputs]
    seen = {id(node) for node in queue}
    for node in queue:
        for tensor in (*node.inputs, *subgraph_reads(node)):
            for producer in tensor.inputs:
                if id(producer) not in seen:
                    seen.add(id(producer))
                    queue.append(producer)
    return [node for node in graph.nodes if id(node) in seen]


def _graph_input(tensor: Any, ranges: Ranges, wanted: bool) -> Group:
    kept = _beyond(ranges, tensor) if wanted else None
    fixed = kept if wanted else "the types of graph inputs are kept"
    return Group(None, f"graph input {tensor.name!r}", fixed, fixed is None, kept, writes=[tensor])


def _graph_output(tensor: Any, index: int, ranges: Ranges, wanted: bool) -> Group:
    kept = _beyond(ranges, tensor) if wanted else None
    fixed = kept if wanted else "the types of graph outputs are kept"
    return Group(None, f"graph output {tensor.name!r}", fixed, fixed is None, kept, reads=[(tensor, index)])


class _NodeGroups:
    """The groups of one node, by type variable, or by slot where a type stands in place of one."""

    def __init__(self, node: Any, types: Types, ranges: Ranges) -> None:
        self.node, self.types, self.ranges = node, types, ranges
        self.schema = types.signature(node)
        self.opaque = _why_opaque(node, self.schema)
        self.groups: dict[object, Group] = {}

    def build(self) -> list[Group]:
        for index, tensor in enumerate(self.node.inputs):
            if self.types.is_int64(tensor):
                group = self._group("input", index)
                group.reads.append((tensor, index))
                group.fixed = group.fixed or self._why_unreadable(tensor, index)
        for index, tensor in enumerate(self.node.outputs):
            if self.types.is_int64(tensor):
                group = self._group("output", index)
                group.writes.append(tensor)
                group.fixed = group.fixed or _beyond(self.ranges, tensor)
        self._add_captured()
        self._fix_untyped()
        return list(self.groups.values())

    def _group(self, side: str, index: int) -> Group:
        """The group of a slot; the slots of one type variable share it."""
        formal = self._formal(side, index)
        key: object = (
            formal.type if formal is not None and formal.is_variable and formal.shared else (side, index)
        )
        if key not in self.groups:
            what = f"{side} {index}{f' ({formal.name})' if formal else ''} of {self.node.op}"
            self.groups[key] = Group(self.node, what, self.opaque or self._why_fixed(formal))
        return self.groups[key]

    def _formal(self, side: str, index: int) -> Formal | None:
        if self.schema is None:
            return None
        return self.schema.input(index) if side == "input" else self.schema.output(index)

    def _why_fixed(self, formal: Formal | None) -> str | None:
        """Why ONNX or the runtime wants int64 in a slot."""
        if formal is None or self.schema is None:
            return "it has no schema"
        if not self.schema.takes(formal, "int32"):
            return (
                "ONNX fixes it to int64"
                if self.schema.takes(formal, "int64")
                else "ONNX does not allow int32"
            )
        return why_kept(self.node.op, formal.type, self.schema.opset)

    def _why_unreadable(self, tensor: Any, index: int) -> str | None:
        clamped = is_clamped(self.node, index) and isinstance(tensor, gs.Constant)
        return None if clamped else _beyond(self.ranges, tensor)

    def _add_captured(self) -> None:
        reads = [(tensor, -1) for tensor in subgraph_reads(self.node) if self.types.is_int64(tensor)]
        if reads:
            what = f"a subgraph of {self.node.op}"
            self.groups["captured"] = Group(self.node, what, "subgraphs stay as they are", reads=reads)

    def _fix_untyped(self) -> None:
        """A tensor of unknown type on the same type variable could be int64 as well: better not."""
        for side, tensors in (("input", self.node.inputs), ("output", self.node.outputs)):
            for index, tensor in enumerate(tensors):
                formal = self._formal(side, index)
                group = self.groups.get(formal.type) if formal is not None else None
                if group is not None and not tensor.is_empty() and self.types.of(tensor) is None:
                    group.fixed = group.fixed or f"the type of another operand of {self.node.op} is unknown"


def _why_opaque(node: Any, schema: Signature | None) -> str | None:
    """Why the whole node is left alone."""
    if schema is None:
        return f"no schema is registered for {node.domain or 'ai.onnx'}::{node.op}"
    if any(True for _ in node.subgraphs()):
        return f"{node.op} has subgraphs, which stay as they are"
    inputs = [schema.input(index) for index in range(len(node.inputs))]
    outputs = [schema.output(index) for index in range(len(node.outputs))]
    if not all(formal is not None and schema.is_tensor(formal) for formal in (*inputs, *outputs)):
        return f"{node.op} handles values that are no tensors"
    bound = {formal.type for formal in inputs if formal}
    free = any(formal and formal.type not in bound and schema.is_open(formal) for formal in outputs)
    if free and not any(name in node.attrs for name in RETARGETABLE.get(node.op, ("dtype",))):
        return f"nothing in {node.op} states the type of its output"
    return None


def _beyond(ranges: Ranges, tensor: Any) -> str | None:
    """Why int32 might not hold a tensor, or what is computed on the way to it; None where it does."""
    values = next((values for values in (ranges.of(tensor), ranges.peak(tensor)) if not values.fits), None)
    if values is None:
        return None
    if values.is_bounded:
        return f"its values may be {values}, beyond int32"
    if any(node.op == "Cast" and ranges.of(node.inputs[0]).may_be_nan for node in tensor.inputs):
        return "it is cast from a float that may be infinite or NaN"
    return "nothing keeps its values within int32"
