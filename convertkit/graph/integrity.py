"""What protobuf lets pass but nobody can work with: names that are no text, tensors that do not fill their shape."""

from __future__ import annotations

import math

from google.protobuf.message import Message
from onnx import TensorProto, numpy_helper
from onnx.helper import tensor_dtype_to_np_dtype

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, weight_key

_PER_BYTE: dict[int, int] = {
    TensorProto.UINT4: 2,
    TensorProto.INT4: 2,
    TensorProto.FLOAT4E2M1: 2,
    TensorProto.UINT2: 4,
    TensorProto.INT2: 4,
}
"""Types of which several values share a byte, and how many."""


def check_integrity(model: LightModel) -> None:
    """Looks at every string and every initializer once, so that nothing fails far from the cause.

    Raises:
        GraphError: a name is not UTF-8, or an initializer has an unknown type or other data than its shape asks for.
    """
    _check_texts(model.proto)
    for tensor in model.proto.graph.initializer:
        try:
            _check_data(tensor, model)
        except (ValueError, KeyError, TypeError) as error:
            shape = "x".join(map(str, tensor.dims)) or "scalar"
            raise GraphError(
                f"initializer {tensor.name!r} (type {tensor.data_type}, {shape}) does not hold what it says"
            ) from error


def _check_texts(message: Message) -> None:
    """protobuf decodes a string as late as it is read, and hands out bytes where it cannot."""
    for field, value in message.ListFields():
        if isinstance(value, Message):
            _check_texts(value)
        elif field.message_type is not None:
            for inner in value:
                _check_texts(inner)
        elif field.type == field.TYPE_STRING:
            for text in [value] if isinstance(value, (str, bytes)) else value:
                if isinstance(text, bytes):
                    raise GraphError(f"{field.name} {text[:40]!r} is not UTF-8")


def _check_data(tensor: TensorProto, model: LightModel) -> None:
    """Raises whatever goes wrong: ValueError for a length, KeyError for a type."""
    key = weight_key(tensor)
    if key is None:
        numpy_helper.to_array(tensor)
        return
    count = math.prod(tensor.dims)
    size = tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    expected = -(-count * size // _PER_BYTE.get(tensor.data_type, 1))
    if min(tensor.dims, default=0) < 0 or expected != len(model.weights[key]):
        raise ValueError(f"{len(model.weights[key])} bytes instead of {expected}")
