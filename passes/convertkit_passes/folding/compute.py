"""Running a few nodes of a graph by themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import onnxruntime
from numpy.typing import NDArray
from onnx_graphsurgeon.exporters.onnx_exporter import OnnxExporter

from convertkit.api import graphs
from convertkit_passes.folding.stated import stated_bytes

if TYPE_CHECKING:
    from convertkit.api import passes

_INFERRED = 1024
"""Bytes of a constant whose values may decide a shape."""


def compute(graph: passes.Graph, nodes: Sequence[Any], wanted: Sequence[Any]) -> list[NDArray[Any] | None]:
    """The values of ``wanted``, which ``nodes`` compute from constants; None where onnxruntime cannot.

    The nodes run as written, without graph optimizations and in one thread: the same bits as in the model.
    """
    model = _model(graph, nodes, wanted)
    try:
        return [_plain(value) for value in _run(model)]
    except Exception:  # onnxruntime's own classes derive from Exception only
        if len(wanted) == 1:
            return [None]
    return [compute(graph, _ancestors(tensor, nodes), [tensor])[0] for tensor in wanted]


def result_bytes(graph: passes.Graph, nodes: Sequence[Any]) -> dict[str, int]:
    """The sizes of what ``nodes`` compute from constants, by name, as far as onnx infers them unseen."""
    proto = _model(graph, nodes, [], most=_INFERRED)
    try:
        inferred = onnx.shape_inference.infer_shapes(proto)
    except Exception:  # what it cannot take, onnxruntime will judge
        return {}
    kinds = {value.name: value.type.tensor_type for value in inferred.graph.value_info}
    return {name: _bytes(kind) for name, kind in kinds.items() if kind.HasField("shape") and kind.elem_type}


def _bytes(kind: onnx.TypeProto.Tensor) -> int:
    count = math.prod(dim.dim_value for dim in kind.shape.dim)
    return count * int(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize)


def _run(model: onnx.ModelProto) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, {}))


def _model(
    graph: passes.Graph, nodes: Sequence[Any], wanted: Sequence[Any], most: float = math.inf
) -> onnx.ModelProto:
    """The nodes and the constants they read, as a model; those of more bytes than ``most`` are its inputs."""
    constants = {item.name: item for node in nodes for item in node.inputs if isinstance(item, gs.Constant)}
    large = {name for name, item in constants.items() if stated_bytes(item) > most}
    proto = onnx.helper.make_graph(
        [OnnxExporter.export_node(node) for node in nodes],
        "folding",
        [_declared(constants[name]) for name in constants if name in large],
        [onnx.helper.make_empty_tensor_value_info(tensor.name) for tensor in wanted],
        [
            onnx.numpy_helper.from_array(graphs.values_of(item), name)
            for name, item in constants.items()
            if name not in large
        ],
    )
    imports = [onnx.helper.make_opsetid("", graph.opset)]
    return onnx.helper.make_model(proto, opset_imports=imports, ir_version=graph.surgeon.ir_version or 8)


def _declared(constant: Any) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(constant.dtype))
    return onnx.helper.make_tensor_value_info(constant.name, kind, constant.shape)


def _ancestors(tensor: Any, nodes: Sequence[Any]) -> list[Any]:
    """The nodes among ``nodes`` that a tensor depends on, in order."""
    needed = {id(tensor)}
    kept = []
    for node in reversed(nodes):
        if any(id(output) in needed for output in node.outputs):
            kept.append(node)
            needed.update(id(item) for item in node.inputs)
    return kept[::-1]


def _plain(value: Any) -> NDArray[Any] | None:
    """Numbers; texts and sequences are left to be computed."""
    return value if isinstance(value, np.ndarray) and value.dtype != object else None
