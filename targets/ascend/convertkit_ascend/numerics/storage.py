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

Nodes = frozenset[int]
"""By their ids: those that compute and store in fp32."""


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


def round_constants(graph: graphs.Graph, kept: Nodes = frozenset()) -> None:
    """Rounds every fp32 constant that a node reads to the nearest fp16 value; it stays fp32 in type.

    Nodes that are ``kept`` read it as it is.
    """
    for tensor in _constants(graph):
        readers = [node for node in tensor.outputs if id(node) not in kept]
        with np.errstate(over="ignore"):
            rounded = tensor.values.astype(np.float16).astype(np.float32)
        if len(readers) == len(tensor.outputs):
            tensor.values = rounded
        elif readers:
            _let_read(readers, tensor, graph.constant(rounded, name=f"{tensor.name}_rounded"))


def round_results(graph: graphs.Graph, kept: Nodes = frozenset()) -> None:
    """Rounds the graph's fp32 inputs and every fp32 result of a node that computes.

    What a kept node makes stays as it is for kept nodes and for outputs of the graph; others read it rounded, by a cast
    as the compiler puts one in between. Of an input of the graph a kept node reads every bit.

    Needs types on the tensors (:func:`convertkit.annotate`).
    """
    inputs = [tensor for tensor in graph.inputs if tensor.dtype == FLOAT]
    nodes = [node for node in graph.nodes if _computes(node) or id(node) in kept]
    results = [(tensor, id(node) in kept) for node in nodes for tensor in node.outputs]
    for tensor in inputs:
        _round(graph, tensor, [node for node in tensor.outputs if id(node) not in kept])
    for tensor, keeps in results:
        if tensor.dtype == FLOAT:
            spared = kept if keeps else frozenset()
            readers = [node for node in tensor.outputs if id(node) not in spared]
            _round(graph, tensor, readers, whole=not keeps)


def _computes(node: Any) -> bool:
    if node.op == "Resize":
        return node.attrs.get("mode", "nearest") not in ("nearest", b"nearest")
    return node.domain in (None, "", "ai.onnx") and node.op not in MOVING


def _round(graph: graphs.Graph, tensor: Any, readers: list[Any], *, whole: bool = True) -> None:
    """Lets readers read the rounded tensor and, if it is rounded as a ``whole``, outputs; these keep their names."""
    if not readers and not (whole and any(tensor is item for item in graph.outputs)):
        return
    half = graph.add("Cast", [tensor], attrs={"to": ONNX_FLOAT16}, dtype=np.float16, shape=tensor.shape)
    back = graph.add("Cast", [half], attrs={"to": ONNX_FLOAT}, dtype=FLOAT, shape=tensor.shape)
    _let_read(readers, tensor, back)
    for index, output in enumerate(graph.outputs):
        if whole and output is tensor:
            name = tensor.name
            tensor.name, back.name = graph.fresh_name(f"{name}_exact"), name
            graph.outputs[index] = back


def _let_read(readers: list[Any], tensor: Any, other: Any) -> None:
    for node in readers:
        for index, item in enumerate(node.inputs):
            if item is tensor:
                node.inputs[index] = other


def _constants(graph: graphs.Graph) -> list[Any]:
    seen = {id(item): item for node in graph.nodes for item in node.inputs}
    return [item for item in seen.values() if _is_constant(item) and item.dtype == FLOAT]


def _is_constant(tensor: Any) -> bool:
    return type(tensor).__name__ == "Constant"
