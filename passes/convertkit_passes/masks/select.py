"""Selecting the mask of the predicted class inside the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from onnx import TensorProto

from convertkit.api import graphs, passes

UNARY = frozenset({"Abs", "Cast", "Exp", "Identity", "Neg", "Relu", "Sigmoid", "Softplus", "Sqrt", "Tanh"})
"""Elementwise operators of one input: selecting before them gives the same values as selecting after them."""

BINARY = frozenset({"Add", "Div", "Mul", "Sub"})
"""The same with one number as the other operand."""


def select(graph: passes.Graph, masks_name: str, labels_name: str) -> None:
    """Rewrites the graph; see :class:`~convertkit_passes.select_class_masks.SelectClassMasks`.

    Raises:
        PassError: an output is missing, has another rank, is not static, or the two do not fit.
    """
    masks, labels = _output(graph, masks_name), _output(graph, labels_name)
    shape = _static(graph, masks, (3, 4), "(K, C, h, w)")
    count = _static(graph, labels, (1,), "(K,)")[0]
    if shape[0] != count:
        raise passes.PassError(
            f"output {masks_name!r} has {shape[0]} masks for {count} entries of {labels_name!r}"
        )
    if len(shape) == 3:
        return
    if not masks.inputs:
        raise passes.PassError(f"output {masks_name!r} is a graph input or an initializer, no node makes it")
    _, classes, height, width = shape
    chain = _elementwise_tail(graph, masks)
    source = _data(chain[0]) if chain else _all_classes(graph, masks)
    result = masks if not chain else gs.Variable(graph.fresh_name("selected_masks"), dtype=source.dtype)
    _pick(graph, source, labels, result, (count, classes, height, width))
    if chain:
        chain[0].inputs[_slot(chain[0])] = result
    for tensor in (result, *(node.outputs[0] for node in chain)):
        tensor.shape = [count, height, width]


def _output(graph: passes.Graph, name: str) -> Any:
    for tensor in graph.outputs:
        if tensor.name == name:
            return tensor
    known = ", ".join(tensor.name for tensor in graph.outputs)
    raise passes.PassError(f"the graph has no output {name!r}", hint=f"its outputs: {known}")


def _static(graph: passes.Graph, tensor: Any, ranks: tuple[int, ...], wanted: str) -> tuple[int, ...]:
    shape = graphs.static_shape(tensor)
    if tensor.shape is None or len(tensor.shape) not in ranks:
        raise passes.PassError(f"output {tensor.name!r} has shape {tensor.shape}, expected {wanted}")
    if shape is None or 0 in shape:
        raise passes.PassError(
            f"output {tensor.name!r} has shape {tensor.shape}, which is not static",
            hint=graphs.remedy(graph.inputs) or "export with static shapes",
        )
    return shape


def _pick(
    graph: passes.Graph, source: Any, labels: Any, result: Any, shape: tuple[int, int, int, int]
) -> None:
    """``source`` ``(K, C, h, w)`` -> ``result`` ``(K, h, w)``."""
    count, classes, height, width = shape
    rows = graph.constant(np.array([count * classes, height, width], np.int64), name="mask_rows")
    if classes == 1:
        graph.add("Reshape", [source, rows], outputs=[result])
        return
    flat = graph.add("Reshape", [source, rows], dtype=source.dtype, shape=[count * classes, height, width])
    if labels.dtype != np.int32:
        cast = {"to": int(TensorProto.INT32)}
        labels = graph.add("Cast", [labels], attrs=cast, dtype=np.int32, shape=[count])
    first = graph.constant(np.arange(count, dtype=np.int32) * np.int32(classes), name="first_mask_of_slot")
    index = graph.add("Add", [first, labels], dtype=np.int32, shape=[count])
    graph.add("Gather", [flat, index], attrs={"axis": 0}, outputs=[result])


def _elementwise_tail(graph: passes.Graph, masks: Any) -> list[Any]:
    """The elementwise operators that end in ``masks`` and serve nothing else, in order of the data flow."""
    chain: list[Any] = []
    tensor, readers = masks, 0
    while len(tensor.inputs) == 1 and len(tensor.outputs) == readers and _is_elementwise(tensor.inputs[0]):
        if chain and any(tensor is output for output in graph.outputs):
            break
        chain.insert(0, tensor.inputs[0])
        tensor, readers = _data(chain[0]), 1
    return chain


def _is_elementwise(node: Any) -> bool:
    if node.domain not in (None, "", "ai.onnx") or len(node.outputs) != 1:
        return False
    return node.op in UNARY or (node.op in BINARY and any(_is_number(item) for item in node.inputs))


def _slot(node: Any) -> int:
    """Which input the masks come in by."""
    return 1 if node.op in BINARY and _is_number(node.inputs[0]) else 0


def _data(node: Any) -> Any:
    return node.inputs[_slot(node)]


def _is_number(tensor: Any) -> bool:
    """A constant of one element that does not raise the rank of three-dimensional masks."""
    return (
        isinstance(tensor, gs.Constant) and len(tensor.shape) <= 3 and all(dim == 1 for dim in tensor.shape)
    )


def _all_classes(graph: passes.Graph, masks: Any) -> Any:
    """Puts a new tensor in the place of ``masks``, which is free to be written then."""
    name = graph.fresh_name(f"{masks.name}_of_all_classes")
    whole = gs.Variable(name, dtype=masks.dtype, shape=list(masks.shape))
    for consumer in list(masks.outputs):
        for slot, tensor in enumerate(consumer.inputs):
            if tensor is masks:
                consumer.inputs[slot] = whole
    for producer in list(masks.inputs):
        for slot, tensor in enumerate(producer.outputs):
            if tensor is masks:
                producer.outputs[slot] = whole
    return whole
