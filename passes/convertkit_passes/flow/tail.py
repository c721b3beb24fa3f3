"""Where a graph can end in front of its loops, and the graph that is left behind that place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import prod
from typing import Any

import onnx

from convertkit.api import graphs, passes
from convertkit_passes.int64.mincut import ENDLESS, source_side

LOOPS = ("Loop", "Scan")
MOVES = {
    "Cast", "Concat", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Shape", "Slice", "Split", "Squeeze",
    "Transpose", "Unsqueeze",
}  # fmt: skip
ARITHMETIC = {
    "Abs",
    "Add",
    "Ceil",
    "Clip",
    "Div",
    "Floor",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Round",
    "Sub",
    "Where",
}
LIGHT = MOVES | ARITHMETIC
"""What a host may do as well: the graph may end in front of it, and it may stand behind a loop."""

OPEN = 1 << 36
"""The price of a tensor of open size, in bytes: more than any other."""


@dataclass(frozen=True)
class Cut:
    """Where a graph ends instead.

    Attributes:
        loops: the first nodes that are left out.
        lost: the graph outputs that hang on them.
        tensors: what everything left out is computed from; those that are outputs already come along.
    """

    loops: tuple[onnx.NodeProto, ...]
    lost: tuple[str, ...]
    tensors: tuple[str, ...]


def find(model: passes.LightModel) -> Cut | None:
    """The cut of the fewest bytes, outputs that stay being free; of several the one nearest to the loops.

    It is sought in front of the loops, as far as there is only arithmetic. None: no loop depends on an input.

    Raises:
        PassError: more than arithmetic hangs on a loop, or the cut has a tensor of open size.
    """
    graph = model.proto.graph
    live = _behind(graph, {value.name for value in graph.input})
    loops = [node for node in graph.node if node.op_type in LOOPS and reads(node) & live]
    behind = _behind(graph, {name for node in loops for name in node.output})
    lost = tuple(value.name for value in graph.output if value.name in behind)
    if not lost:
        return None
    late = [node for node in graph.node if behind & {*node.output}]
    _require_light(late, loops)
    ends = {name for node in late for name in reads(node) & live} - behind
    sizes = _sizes(model)
    kept = {value.name for value in graph.output} - {*lost}
    tensors = _cheapest(graph, live, ends, {**sizes, **dict.fromkeys(kept, 0)})
    if unknown := next((name for name in tensors if name not in {*sizes, *kept}), ""):
        raise passes.PassError(
            f"in front of {_name(loops[0])} ({loops[0].op_type}) the graph would end at {unknown!r}, of open size",
            hint="put cut-loops behind the passes that make sizes static: set-input-shape, fold-constants,"
            " fuse-multiclass-nms{pad_detections=true}",
        )
    return Cut(tuple(loops), lost, tensors)


def front(model: passes.LightModel, cut: Cut) -> passes.LightModel:
    """The graph up to the cut: at the place of the first output that is lost, the tensors of the cut."""
    outputs = {value.name: value for value in model.proto.graph.output}
    added = [name for name in cut.tensors if name not in outputs]
    at = next(index for index, name in enumerate(outputs) if name in cut.lost)
    names = [name for name in outputs if name not in cut.lost]
    names[at:at] = added
    return _part(model, [value.name for value in model.proto.graph.input], names)


def rest(model: passes.LightModel, given: Collection[str], wanted: Sequence[str]) -> passes.LightModel:
    """The graph that makes the tensors ``wanted`` from those that are ``given``; it takes those it needs."""
    needed = {name for node in _between(model.proto.graph, {*given}, wanted) for name in reads(node)}
    return _part(model, [name for name in given if name in needed], wanted)


def reads(node: onnx.NodeProto) -> set[str]:
    """The tensors that a node takes, those of its subgraphs too (with the names that these make themselves)."""
    return {*node.input}.union(*(graphs.names_read(body) for _, body in graphs.bodies(node))) - {""}


def _name(node: onnx.NodeProto) -> str:
    return node.name or node.output[0]


def _behind(graph: onnx.GraphProto, start: set[str]) -> set[str]:
    """The tensors that depend on one of these, and these."""
    found = set(start)
    for node in graph.node:
        if reads(node) & found:
            found.update(filter(None, node.output))
    return found


def _require_light(late: Sequence[onnx.NodeProto], loops: Sequence[onnx.NodeProto]) -> None:
    for node in late:
        if node.op_type not in (*LIGHT, *LOOPS):
            raise passes.PassError(
                f"{_name(node)} ({node.op_type}) hangs on {_name(loops[0])} ({loops[0].op_type}):"
                " a graph can end in front of a loop only where nothing but arithmetic follows",
                hint="export without control flow, or a part of the model without this loop",
            )


def _sizes(model: passes.LightModel) -> dict[str, int]:
    """Bytes of the tensors whose shape is fixed."""
    found = {}
    for value in _typed(graphs.inferred(model).graph):
        kind = value.type.tensor_type
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
            itemsize = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize
            found[value.name] = itemsize * prod(dim.dim_value for dim in kind.shape.dim)
    return found


def _typed(graph: onnx.GraphProto) -> Iterator[Any]:
    yield from (*graph.value_info, *graph.input, *graph.output)


def _cheapest(
    graph: onnx.GraphProto, live: set[str], ends: set[str], sizes: Mapping[str, int]
) -> tuple[str, ...]:
    """The minimum cut between ``ends`` and what is not :data:`LIGHT`, in the order in which tensors are made.

    A tensor is an arc of its price. They lead backwards, so that the smallest side is the one at the end.
    """
    makers = {name: node for node in graph.node for name in node.output}
    number = {name: 2 * index + 2 for index, name in enumerate(sorted(live))}
    arcs, waiting, seen = [], sorted(ends), set(ends)
    arcs += [(0, number[name], ENDLESS) for name in waiting]
    while waiting:
        name = waiting.pop()
        arcs.append((number[name], number[name] + 1, sizes.get(name, OPEN)))
        light = name in makers and makers[name].op_type in LIGHT
        before = sorted(reads(makers[name]) & live) if light else []
        arcs += [(number[name] + 1, number[item], ENDLESS) for item in before] or [
            (number[name] + 1, 1, ENDLESS)
        ]
        waiting += [item for item in before if item not in seen]
        seen.update(before)
    side = source_side(arcs, 0, 1)
    order = [value.name for value in graph.input] + [name for node in graph.node for name in node.output]
    return tuple(
        name for name in order if name in seen and number[name] in side and number[name] + 1 not in side
    )


def _between(graph: onnx.GraphProto, given: set[str], wanted: Sequence[str]) -> list[onnx.NodeProto]:
    """The nodes that make ``wanted`` where the tensors ``given`` are known."""
    needed, found = {*wanted} - given, []
    for node in reversed(graph.node):
        if needed & {*node.output}:
            found.append(node)
            needed |= reads(node) - given
    return found[::-1]


def _part(model: passes.LightModel, inputs: Sequence[str], outputs: Sequence[str]) -> passes.LightModel:
    nodes = _between(model.proto.graph, {*inputs}, outputs)
    types = {value.name: value for value in _typed(graphs.inferred(model).graph)}
    types |= {value.name: value for value in (*model.proto.graph.input, *model.proto.graph.output)}
    kept = {name for node in nodes for name in (*reads(node), *node.output)}
    proto = deepcopy(model.proto)
    for field, items in (
        ("node", nodes),
        (
            "initializer",
            [item for item in proto.graph.initializer if item.name in {*kept, *inputs, *outputs}],
        ),
        ("value_info", [item for item in proto.graph.value_info if item.name in kept - {*inputs, *outputs}]),
        ("input", [types[name] for name in inputs]),
        ("output", [types[name] for name in outputs]),
    ):
        items = deepcopy(items)
        proto.graph.ClearField(field)
        getattr(proto.graph, field).extend(items)
    return passes.LightModel(proto, model.weights)
