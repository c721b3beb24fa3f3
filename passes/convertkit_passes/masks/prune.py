"""Replacing a 1x1 convolution of which one channel per image is used by one row of its weights per image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs, passes


@dataclass(frozen=True)
class _Selection:
    """``gather`` takes channel ``labels[k]`` of image k out of what ``conv`` computes.

    ``labels`` is ``(K,)`` int32 or int64; ``features`` ``(K, Cin, h, w)``; ``weights`` ``(C, Cin, 1, 1)``; ``bias``
    ``(C,)`` or None.
    """

    gather: Any
    labels: Any
    features: Any
    weights: Any
    bias: Any | None


def prune(graph: passes.Graph, gather: Any) -> bool:
    """Rewrites what feeds one Gather, if it is such a selection; says whether it did."""
    found = _match(graph, gather)
    if found is None:
        return False
    count, channels, height, width = graphs.static_shape(found.features) or ()
    kind = found.features.dtype
    flat = _reshaped(graph, found.features, [count, channels, height * width])
    rows = _row(graph, found.weights, found.labels, (1, channels), count)
    product = graph.add("MatMul", [rows, flat], dtype=kind, shape=[count, 1, height * width])
    if found.bias is not None:
        bias = _row(graph, found.bias, found.labels, (1, 1), count)
        product = graph.add("Add", [product, bias], dtype=kind, shape=[count, 1, height * width])
    result = gather.outputs[0]
    gather.outputs.clear()
    shape = graph.constant(np.array([count, height, width], np.int64), name="mask_shape")
    graph.add("Reshape", [product, shape], outputs=[result])
    return True


def _match(graph: passes.Graph, gather: Any) -> _Selection | None:
    if gather.attrs.get("axis", 0) != 0 or len(gather.inputs) != 2:
        return None
    reshape = _only_producer(graph, gather.inputs[0], "Reshape")
    conv = None if reshape is None else _only_producer(graph, reshape.inputs[0], "Conv")
    if reshape is None or conv is None or not _is_pointwise(conv):
        return None
    if graphs.static_shape(conv.outputs[0]) is None or graphs.static_shape(conv.inputs[0]) is None:
        graphs.annotate(graph)
    made, flat = graphs.static_shape(conv.outputs[0]), graphs.static_shape(reshape.outputs[0])
    features = graphs.static_shape(conv.inputs[0])
    if made is None or features is None or flat != (made[0] * made[1], *made[2:]):
        return None
    labels = _labels(gather.inputs[1], made[0], made[1])
    if labels is None:
        return None
    bias = conv.inputs[2] if len(conv.inputs) > 2 and not conv.inputs[2].is_empty() else None
    return _Selection(gather, labels, conv.inputs[0], conv.inputs[1], bias)


def _only_producer(graph: passes.Graph, tensor: Any, op: str) -> Any | None:
    """The node of type ``op`` that writes ``tensor``, when the tensor has one consumer and is no graph output."""
    if len(tensor.inputs) != 1 or len(tensor.outputs) != 1 or tensor.inputs[0].op != op:
        return None
    return None if any(tensor is output for output in graph.outputs) else tensor.inputs[0]


def _is_pointwise(conv: Any) -> bool:
    """A 1x1 convolution in two dimensions without stride, padding or groups, whose weights are known."""
    constant = all(isinstance(tensor, gs.Constant) or tensor.is_empty() for tensor in conv.inputs[1:])
    return (
        constant
        and len(conv.inputs[1].shape) == 4
        and tuple(conv.inputs[1].shape[2:]) == (1, 1)
        and all(stride == 1 for stride in conv.attrs.get("strides", [1, 1]))
        and not any(conv.attrs.get("pads", []))
        and conv.attrs.get("group", 1) == 1
    )


def _labels(index: Any, count: int, classes: int) -> Any | None:
    """The L of ``index = arange(K) * C + L`` with L ``(K,)``; None where ``index`` is something else."""
    if len(index.inputs) != 1 or index.inputs[0].op != "Add":
        return None
    first = np.arange(count) * classes
    for start, labels in (index.inputs[0].inputs, index.inputs[0].inputs[::-1]):
        fits = isinstance(start, gs.Constant) and tuple(start.shape) == (count,)
        if (
            fits
            and np.array_equal(graphs.values_of(start), first)
            and graphs.static_shape(labels) == (count,)
        ):
            return labels
    return None


def _reshaped(graph: passes.Graph, tensor: Any, shape: list[int]) -> Any:
    target = graph.constant(np.array(shape, np.int64), name="shape")
    return graph.add("Reshape", [tensor, target], dtype=tensor.dtype, shape=shape)


def _row(graph: passes.Graph, table: Any, labels: Any, shape: tuple[int, int], count: int) -> Any:
    """``(K, *shape)``: the rows of a constant ``(C, ...)`` that belong to the labels."""
    values = graphs.values_of(table)
    rows = values.reshape(len(values), *shape)
    picked = graph.constant(rows, name=f"{table.name}_rows")
    return graph.add("Gather", [picked, labels], attrs={"axis": 0}, dtype=values.dtype, shape=[count, *shape])
