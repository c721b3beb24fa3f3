"""Outputs without a type or a shape: onnxruntime runs them, the ONNX checker and simplifiers do not take them.

Some writers say ``shape {}``, which is that of a single number, where they mean that they do not know.
"""

from __future__ import annotations

from copy import deepcopy

import onnx

from convertkit.errors import GraphError
from convertkit.graph.domains import lowered
from convertkit.graph.light import LightModel
from convertkit.graph.random_inputs import random_inputs
from convertkit.graph.session import open_session
from convertkit.graph.shapes import inferred


def with_output_types(model: LightModel) -> LightModel:
    """The model whose outputs have the types and shapes that follow from the graph, or at least those seen in a run.

    What cannot be told stays as it was: whoever asks whether the graph is valid names it.
    """
    if all(_is_typed(value) and not _is_single(value) for value in model.proto.graph.output):
        return model
    proto = deepcopy(model.proto)
    model = LightModel(proto, model.weights)
    single = [value for value in proto.graph.output if _is_single(value)]
    for value in single:
        value.type.tensor_type.ClearField("shape")
    for learn in (_infer, _run):
        if not all(_is_typed(value) for value in proto.graph.output):
            learn(model)
    for value in single:
        value.type.tensor_type.shape.SetInParent()  # where nothing else was learnt, it is what it says
    return model


def _infer(model: LightModel) -> None:
    try:
        found = inferred(model, strict=False).graph.output
    except GraphError:
        return
    for value, known in zip(model.proto.graph.output, found, strict=True):
        if not _is_typed(value):
            value.type.CopyFrom(known.type)


def _run(model: LightModel) -> None:
    """Types and ranks of arrays; their sizes are those of one sample."""
    try:
        found = open_session(lowered(model), optimize=False).run(random_inputs(model, 0))
    except GraphError:
        return
    for value in model.proto.graph.output:
        if not _is_typed(value) and hasattr(found[value.name], "ndim"):
            kind = onnx.helper.np_dtype_to_tensor_dtype(found[value.name].dtype)
            value.type.CopyFrom(onnx.helper.make_tensor_type_proto(kind, [None] * found[value.name].ndim))


def _is_single(value: onnx.ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    return tensor.HasField("shape") and not tensor.shape.dim


def _is_typed(value: onnx.ValueInfoProto) -> bool:
    kind, tensor = value.type.WhichOneof("value"), value.type.tensor_type
    return kind is not None and (kind != "tensor_type" or bool(tensor.elem_type and tensor.HasField("shape")))
