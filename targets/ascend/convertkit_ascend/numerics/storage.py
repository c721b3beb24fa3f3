"""fp16 storage of weights and activations, written into a graph that still computes in fp32.

A pair of Casts (fp32 -> fp16 -> fp32) behind an operator rounds what it stores; onnxruntime keeps such pairs. Operators
that only move or choose values need none: what goes in is fp16 already.

Overflow gives infinity, as IEEE and onnxruntime's Cast have it. The 310P may saturate instead (not found in a source).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convertkit.api import graphs

MOVING = frozenset(
    {
        "Clip", "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Max", "MaxPool",
        "Min", "Neg", "Pad", "ReduceMax", "ReduceMin", "Relu", "Reshape", "Resize", "ScatterElements", "ScatterND",
        "Slice", "Split", "Squeeze", "Tile", "TopK", "Transpose", "Unsqueeze", "Where",
    }
)  # fmt: skip
"""Operators whose floating results are values that went in (Resize: the nearest mode of detection necks)."""

FLOAT, HALF = np.dtype(np.float32), np.dtype(np.float16)
ONNX_FLOAT, ONNX_FLOAT16 = 1, 10

LARGEST = np.float32(65504)


def compute_halves_in_float32(graph: graphs.Graph) -> None:
    """Gives every float16 node of standard ONNX casts of its own: float32 inside, float16 where it reads and stores.

    onnxruntime has no float16 arithmetic on most hosts. It puts such casts in by itself, and then takes them away
    again together with the graph's own, so that nothing is rounded at all.
    """
    for node in list(graph.nodes):
        if node.op == "Cast" or node.domain not in (None, "", "ai.onnx"):
            continue
        for place, tensor in enumerate(node.inputs):
            if tensor.dtype == HALF:
                node.inputs[place] = _widened(graph, tensor)
        for place, tensor in enumerate(node.outputs):
            if tensor.dtype == HALF:
                single = type(tensor)(graph.fresh_name(f"{tensor.name}_single"), FLOAT, tensor.shape)
                node.outputs[place] = single
                graph.add("Cast", [single], attrs={"to": ONNX_FLOAT16}, outputs=[tensor])


def _widened(graph: graphs.Graph, tensor: Any) -> Any:
    if _is_constant(tensor):
        return graph.constant(tensor.values.astype(FLOAT), name=f"{tensor.name}_single")
    return graph.add("Cast", [tensor], attrs={"to": ONNX_FLOAT}, dtype=FLOAT, shape=tensor.shape)


def round_constants(graph: graphs.Graph) -> None:
    """Rounds every fp32 constant that a node reads to the nearest fp16 value; it stays fp32 in type."""
    for tensor in _constants(graph):
        with np.errstate(over="ignore"):
            tensor.values = tensor.values.astype(np.float16).astype(np.float32)


def round_results(graph: graphs.Graph) -> None:
    """Rounds the graph's fp32 inputs and every fp32 result of a node that computes.

    Needs types on the tensors (:func:`convertkit.annotate`).
    """
    inputs = [tensor for tensor in graph.inputs if tensor.dtype == FLOAT]
    results = [tensor for node in graph.nodes if _computes(node) for tensor in node.outputs]
    for tensor in [*inputs, *(item for item in results if item.dtype == FLOAT)]:
        _round(graph, tensor)


def _computes(node: Any) -> bool:
    if node.op == "Resize":
        return node.attrs.get("mode", "nearest") not in ("nearest", b"nearest")
    return node.domain in (None, "", "ai.onnx") and node.op not in MOVING


def _round(graph: graphs.Graph, tensor: Any) -> None:
    """Lets all consumers read the rounded tensor; a graph output keeps its name."""
    if not tensor.outputs and not any(tensor is item for item in graph.outputs):
        return
    consumers = list(tensor.outputs)
    half = graph.add("Cast", [tensor], attrs={"to": ONNX_FLOAT16}, dtype=np.float16, shape=tensor.shape)
    back = graph.add("Cast", [half], attrs={"to": ONNX_FLOAT}, dtype=FLOAT, shape=tensor.shape)
    for consumer in consumers:
        for index, item in enumerate(consumer.inputs):
            if item is tensor:
                consumer.inputs[index] = back
    for index, output in enumerate(graph.outputs):
        if output is tensor:
            name = tensor.name
            tensor.name, back.name = graph.fresh_name(f"{name}_exact"), name
            graph.outputs[index] = back


def _constants(graph: graphs.Graph) -> list[Any]:
    seen = {id(item): item for node in graph.nodes for item in node.inputs}
    return [item for item in seen.values() if _is_constant(item) and item.dtype == FLOAT]


def _is_constant(tensor: Any) -> bool:
    return type(tensor).__name__ == "Constant"
