"""Is this a valid ONNX graph with the types and shapes it claims?"""

from __future__ import annotations

import onnx

from convertkit.children.limits import step
from convertkit.errors import GraphError
from convertkit.graph.domains import register_schemas
from convertkit.graph.light import LightModel, weights_as_inputs

ONNX_ERRORS = (
    *(onnx.checker.ValidationError, onnx.shape_inference.InferenceError),
    *(ValueError, RuntimeError, LookupError, OverflowError),
)
"""What onnx's checker and shape inference raise: some of it is C++'s own."""

_TYPES = set(onnx.TensorProto.DataType.values()) - {onnx.TensorProto.UNDEFINED}


def validate(model: LightModel) -> None:
    """The ONNX checker with strict shape inference, on the graph without its large weights.

    Raises:
        GraphError: with the checker's first line; or an input or output has no element type.
    """
    for value in (*model.proto.graph.input, *model.proto.graph.output):
        if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape"):
            raise GraphError(f"{value.name!r} has no shape, and none can be inferred")
    register_schemas(model)
    proto = weights_as_inputs(model)
    try:
        sparse = bool(proto.graph.sparse_initializer)  # of which shape inference knows nothing
        with step("the ONNX checker", model.size):
            onnx.checker.check_model(proto, full_check=not sparse)
    except ONNX_ERRORS as error:
        raise GraphError(f"the ONNX checker refuses the graph: {_brief(error)}") from error
    _check_interface(model.proto.graph)


def _check_interface(graph: onnx.GraphProto) -> None:
    """What the checker leaves to whoever runs the graph."""
    for kind, values in (("input", graph.input), ("output", graph.output)):
        for value in values:
            if value.type.HasField("tensor_type") and value.type.tensor_type.elem_type not in _TYPES:
                raise GraphError(f"{kind} {value.name!r} has no element type that there is")


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]
