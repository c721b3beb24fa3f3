"""The graph as groups of int64 tensors: what one operator binds to one type variable changes type together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import onnx_graphsurgeon as gs

from convertkit_passes.int64.interval import Interval
from convertkit_passes.int64.kernels import why_kept
from convertkit_passes.int64.ranges import Ranges
from convertkit_passes.int64.signature import Formal, Signature
from convertkit_passes.int64.types import RETARGETABLE, Types

if TYPE_CHECKING:
    import convertkit


@dataclass(eq=False)
class Group:
    """The int64 slots of one type variable of one operator, or a graph input or output.

    Attributes:
        node: the operator; None for a graph input or output.
        what: names it in a sentence, such as ``input 2 (indices) of GatherND``.
        fixed: why it stays int64; None where it may become int32.
        wanted: it becomes int32 whatever that costs.
        writes: the tensors it produces.
        reads: (tensor, input index) of what it consumes; a graph output has its own index.
    """

    node: Any
    what: str
    fixed: str | None = None
    wanted: bool = False
    writes: list[Any] = field(default_factory=list)
    reads: list[tuple[Any, int]] = field(default_factory=list)


def build_groups(graph: convertkit.Graph, *, inputs: bool, outputs: bool) -> list[Group]:
    """All groups of a graph, in file order.

    Args:
        inputs: graph inputs become int32.
        outputs: graph outputs become int32.
    """
    types, ranges = Types(graph), Ranges(graph)
    if not types.has_onnx:
        return []
    groups = [_graph_input(tensor, inputs) for tensor in graph.inputs if _is_free_int64(tensor, types)]
    for node in _live(graph):
        groups += _node_groups(node, types, ranges)
    own = {id(tensor) for tensor in graph.inputs}  # an output that is an input has the input's type
    for index, tensor in enumerate(graph.outputs):
        if types.is_int64(tensor) and id(tensor) not in own:
            groups.append(_graph_output(tensor, index, ranges, outputs))
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


def _live(graph: convertkit.Graph) -> list[Any]:
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


def _is_free_int64(tensor: Any, types: Types) -> bool:
    return types.is_int64(tensor) and not isinstance(tensor, gs.Constant)


def _graph_input(tensor: Any, wanted: bool) -> Group:
    fixed = None if wanted else "the types of graph inputs are kept"
    return Group(None, f"graph input {tensor.name!r}", fixed, wanted, writes=[tensor])


def _graph_output(tensor: Any, index: int, ranges: Ranges, wanted: bool) -> Group:
    fixed = _beyond(ranges.of(tensor)) if wanted else "the types of graph outputs are kept"
    return Group(None, f"graph output {tensor.name!r}", fixed, fixed is None, reads=[(tensor, index)])


def _node_groups(node: Any, types: Types, ranges: Ranges) -> list[Group]:
    if not any(types.is_int64(tensor) for tensor in (*node.inputs, *node.outputs, *subgraph_reads(node))):
        return []
    known = types.signature(node)
    general = _why_opaque(node, known)
    groups: dict[object, Group] = {}
    for index, tensor in enumerate(node.inputs):
        if types.is_int64(tensor):
            formal = known.input(index) if known else None
            group = _group(groups, node, formal, ("input", index), general, known)
            group.reads.append((tensor, index))
            group.fixed = group.fixed or _why_unreadable(tensor, node, index, ranges)
    for index, tensor in enumerate(node.outputs):
        if types.is_int64(tensor):
            formal = known.output(index) if known else None
            group = _group(groups, node, formal, ("output", index), general, known)
            group.writes.append(tensor)
            group.fixed = group.fixed or _beyond(ranges.of(tensor)) or _beyond(ranges.peak(tensor))
    captured = [(tensor, -1) for tensor in subgraph_reads(node) if types.is_int64(tensor)]
    if captured:
        groups["captured"] = Group(
            node, f"a subgraph of {node.op}", "subgraphs stay as they are", reads=captured
        )
    _fix_untyped(groups, node, known, types)
    return list(groups.values())


def _group(
    groups: dict[object, Group],
    node: Any,
    formal: Formal | None,
    slot: tuple[str, int],
    general: str | None,
    known: Signature | None,
) -> Group:
    """The group of a slot; slots of one type variable share it."""
    shared = formal is not None and formal.is_variable and formal.shared
    key: object = formal.type if shared and formal is not None else slot
    if key not in groups:
        name = f" ({formal.name})" if formal is not None else ""
        what = f"{slot[0]} {slot[1]}{name} of {node.op}"
        groups[key] = Group(node, what, general or _why_fixed(node, formal, known))
    return groups[key]


def _why_opaque(node: Any, known: Signature | None) -> str | None:
    """Why the whole node is left alone."""
    if known is None:
        return f"no schema is registered for {node.domain or 'ai.onnx'}::{node.op}"
    if any(True for _ in node.subgraphs()):
        return f"{node.op} has subgraphs, which stay as they are"
    formals = [known.input(i) for i in range(len(node.inputs))] + [
        known.output(i) for i in range(len(node.outputs))
    ]
    if any(formal is None or not known.is_tensor(formal) for formal in formals):
        return f"{node.op} handles values that are no tensors"
    bound = {known.inputs[min(i, len(known.inputs) - 1)].type for i in range(len(node.inputs))}
    free = [
        item
        for item in formals[len(node.inputs) :]
        if item and item.type not in bound and known.is_open(item)
    ]
    if free and not any(name in node.attrs for name in RETARGETABLE.get(node.op, ("dtype",))):
        return f"nothing in {node.op} states the type of its output"
    return None


def _why_fixed(node: Any, formal: Formal | None, known: Signature | None) -> str | None:
    """Why ONNX or the runtime wants int64 in a slot."""
    assert formal is not None
    assert known is not None
    if not known.takes(formal, "int32"):
        return "ONNX fixes it to int64" if known.takes(formal, "int64") else "ONNX does not allow int32"
    return why_kept(node.op, formal.type, known.opset)


def _why_unreadable(tensor: Any, node: Any, index: int, ranges: Ranges) -> str | None:
    clamped = is_clamped(node, index) and isinstance(tensor, gs.Constant)
    return None if clamped else _beyond(ranges.of(tensor))


def _beyond(values: Interval) -> str | None:
    return None if values.fits else f"its values may be {values}, beyond int32"


def _fix_untyped(groups: dict[object, Group], node: Any, known: Signature | None, types: Types) -> None:
    """A tensor of unknown type on the same type variable could be int64 as well: better not."""
    if known is None:
        return
    for tensors, formals in ((node.inputs, known.input), (node.outputs, known.output)):
        for name in _untyped(tensors, formals, types):
            if name in groups:
                groups[name].fixed = (
                    groups[name].fixed or f"the type of another operand of {node.op} is unknown"
                )


def _untyped(tensors: Iterable[Any], formals: Any, types: Types) -> Iterator[str]:
    for index, tensor in enumerate(tensors):
        formal = formals(index)
        if formal is not None and not tensor.is_empty() and types.of(tensor) is None:
            yield formal.type
