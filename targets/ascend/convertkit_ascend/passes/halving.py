"""Casts to float16 in front of nodes whose only kernels are float16, and back behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from onnx import TensorProto

from convertkit.api import graphs, passes
from convertkit.api.heads import annotated, name_of
from convertkit_ascend import ops
from convertkit_ascend.linter.table import half_only
from convertkit_ascend.ops.lowering import lower_heads

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)

LARGEST = float(np.finfo(np.float16).max)


def cast(graph: passes.Graph, only: Collection[str]) -> tuple[passes.Finding, ...]:
    """Casts all of them; a finding for each, of the graph as it was."""
    lower_heads(graph)
    ops.register_schemas()
    with annotated(graph):
        nodes = list(_nodes(graph, only))
        findings = tuple(_finding(graph, node) for node in nodes)
        _cast(graph, nodes)
    return findings


def _finding(graph: passes.Graph, node: Any) -> passes.Finding:
    tensor = node.inputs[0]
    return passes.Finding("matched", name_of(node), _why(graph, tensor), str(tensor.name))


def _cast(graph: passes.Graph, nodes: Sequence[Any]) -> None:
    made: dict[int, Any] = {}
    for node in nodes:
        for place, tensor in enumerate(node.inputs):
            if _is_single(tensor):
                node.inputs[place] = _half(graph, tensor, made)
        for place, tensor in enumerate(node.outputs):
            if _is_single(tensor):
                _widen(graph, node, place)


def _nodes(graph: passes.Graph, only: Collection[str]) -> Iterator[Any]:
    """In the order of data flow: what is in front of a node is cast before it."""
    graph.surgeon.toposort()
    names = only or half_only()
    for node in list(graph.nodes):
        home = node.domain in (None, "", "ai.onnx", ops.DOMAIN)
        if home and node.op in names and node.inputs and _is_single(node.inputs[0]):
            yield node


def _is_single(tensor: Any) -> bool:
    return not tensor.is_empty() and tensor.dtype is not None and np.dtype(tensor.dtype) == SINGLE


def _half(graph: passes.Graph, tensor: Any, made: dict[int, Any]) -> Any:
    """The tensor in float16: a constant stored so, the source of a cast back, or a new cast."""
    if id(tensor) not in made:
        made[id(tensor)] = _source(tensor) or _lowered(graph, tensor)
    return made[id(tensor)]


def _source(tensor: Any) -> Any:
    """What a Cast has made this tensor of, if that was float16."""
    node = tensor.inputs[0] if tensor.inputs else None
    if node is None or node.op != "Cast" or node.inputs[0].dtype is None:
        return None
    return node.inputs[0] if np.dtype(node.inputs[0].dtype) == HALF else None


def _lowered(graph: passes.Graph, tensor: Any) -> Any:
    name = f"{tensor.name}_float16"
    if isinstance(tensor, gs.Constant):
        with np.errstate(over="ignore"):
            return graph.constant(np.asarray(tensor.values).astype(HALF), name=name)
    lowered = gs.Variable(graph.fresh_name(name), dtype=HALF, shape=tensor.shape)
    return graph.add("Cast", [tensor], attrs={"to": int(TensorProto.FLOAT16)}, outputs=[lowered])


def _widen(graph: passes.Graph, node: Any, place: int) -> None:
    """The node writes a new tensor; the old one keeps its name and its readers behind a Cast."""
    tensor = node.outputs[place]
    lowered = gs.Variable(graph.fresh_name(f"{tensor.name}_float16"), dtype=HALF, shape=tensor.shape)
    node.outputs[place] = lowered
    graph.add("Cast", [lowered], attrs={"to": int(TensorProto.FLOAT)}, outputs=[tensor])


def _why(graph: passes.Graph, tensor: Any) -> str:
    """``its kernels are float16 only; values up to 608 are rounded by up to 0.25``."""
    found = graphs.bounds(graph, tensor)
    largest = max(abs(found.low), abs(found.high))
    said = "its kernels are float16 only"
    if not np.isfinite(largest):
        return said
    if largest > LARGEST:
        return f"{said}; values up to {largest:g} overflow above {LARGEST:g}"
    return f"{said}; values up to {largest:g} are rounded by up to {np.spacing(np.float16(largest)) / 2:g}"
