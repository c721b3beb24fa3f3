"""Types and shapes of all tensors of a graph under edit, by ONNX's own inference."""

from __future__ import annotations

from typing import Any

import onnx
import onnx_graphsurgeon as gs

from convertkit.children.limits import step
from convertkit.errors import GraphError
from convertkit.graph.domains import register_schemas
from convertkit.graph.graph import Graph
from convertkit.graph.light import LightModel, weights_as_inputs
from convertkit.graph.nested import every_node
from convertkit.graph.validate import ONNX_ERRORS

MOST_VALUES = 1 << 24
"""Of all vectors of a graph: each costs inference some fifty bytes. Shapes are shorter."""


def annotate(graph: Graph) -> None:
    """Sets ``dtype`` and ``shape`` of every variable that inference can tell; others keep what they had.

    ``shape`` is a list of int, or of str where a size is symbolic; ``dtype`` a numpy dtype.

    Raises:
        GraphError: the graph contradicts itself.
    """
    known = {value.name: value.type.tensor_type for value in inferred(graph.model()).graph.value_info}
    for node in graph.nodes:
        for tensor in node.outputs:
            if tensor.name in known and isinstance(tensor, gs.Variable):
                _set(tensor, known[tensor.name])


def restate_outputs(graph: Graph) -> None:
    """Writes down the sizes of graph outputs that are said to be open and follow from the graph all the same.

    Raises:
        GraphError: the graph contradicts itself.
    """
    model = graph.model()
    for value in model.proto.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            if not dim.HasField("dim_value"):
                dim.Clear()  # a name would be kept, whatever inference finds
    found = {value.name: value.type.tensor_type.shape.dim for value in inferred(model).graph.output}
    for tensor in graph.outputs:
        dims = found[tensor.name]
        if tensor.shape is not None and len(dims) == len(tensor.shape):
            pairs = zip(dims, tensor.shape, strict=True)
            tensor.shape = [dim.dim_value if dim.HasField("dim_value") else said for dim, said in pairs]


def inferred(model: LightModel, *, strict: bool = True) -> onnx.ModelProto:
    """The graph, weights without their values, with the types that inference finds.

    It follows the values of vectors that are not too long, and has the time and memory of a step.

    Args:
        model: any graph.
        strict: whether a node that cannot be inferred is an error, or only left without a type.

    Raises:
        GraphError: the graph contradicts itself.
    """
    register_schemas(model)
    proto = weights_as_inputs(model)
    for node in every_node(proto.graph):  # else an error could not say where
        node.name = node.name or f"<{next(iter(node.output), '')}>"
    try:
        with step("shape inference", model.size):
            plain = onnx.shape_inference.infer_shapes(proto, strict_mode=strict)
            if sum(_values(value.type.tensor_type) for value in plain.graph.value_info) > MOST_VALUES:
                return plain
            return onnx.shape_inference.infer_shapes(proto, strict_mode=strict, data_prop=True)
    except ONNX_ERRORS as error:
        raise GraphError(f"shapes do not fit: {' '.join(str(error).split())[:400]}") from error


def static_shape(tensor: Any) -> tuple[int, ...] | None:
    """The shape where every size is a number, else None."""
    shape = getattr(tensor, "shape", None)
    if shape is None or any(not isinstance(size, int) or size < 0 for size in shape):
        return None
    return tuple(shape)


def _values(kind: onnx.TypeProto.Tensor) -> int:
    """How many values inference would hold of it: it takes every vector for a shape."""
    return kind.shape.dim[0].dim_value if len(kind.shape.dim) == 1 else 0


def _set(tensor: Any, kind: onnx.TypeProto.Tensor) -> None:
    if kind.elem_type:
        tensor.dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
    if kind.HasField("shape"):
        dims = kind.shape.dim
        tensor.shape = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in dims]
