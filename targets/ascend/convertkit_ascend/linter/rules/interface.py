"""Rules about graph inputs: their types, and shapes that must be known before the compiler runs."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import TensorProto

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.subject import Subject

_REFUSED = {TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2FNUZ}
"""e4m3fnuz was seen to be refused (ascend-facts: parser-inputs); e5m2fnuz is its sister [derived]."""


@rule(
    "input-untyped",
    fix="declare its element type",
    source='ascend-facts: parser-inputs; "tensor_proto data type 0 is undefined" [run]',
    hides=("input-type", "shape-dynamic"),
)
def input_untyped(subject: Subject) -> Iterator[Spot]:
    """A graph input says its element type."""
    for value in subject.inputs:
        kind = value.type.WhichOneof("value")
        if kind is None or (kind == "tensor_type" and value.type.tensor_type.elem_type == 0):
            yield Spot(value.name, "it has no element type")


@rule(
    "input-not-tensor",
    fix="feed tensors",
    source="ascend-facts: parser-inputs; sequence types are refused [run]",
    hides=("input-type", "shape-dynamic"),
)
def input_not_tensor(subject: Subject) -> Iterator[Spot]:
    """A graph input is a tensor, no sequence, map or optional."""
    for value in subject.inputs:
        kind = value.type.WhichOneof("value")
        if kind not in (None, "tensor_type"):
            yield Spot(value.name, f"it is a {kind.removesuffix('_type')}")


@rule(
    "input-type-refused",
    fix="feed float32 and cast inside",
    source="ascend-facts: parser-inputs; e4m3fnuz is refused [run]",
    hides=("input-type",),
    stops="types",
)
def input_type_refused(subject: Subject) -> Iterator[Spot]:
    """The element type of a graph input is one that the parser has."""
    for value in subject.inputs:
        number = value.type.tensor_type.elem_type
        known = number in TensorProto.DataType.values()
        if number in _REFUSED or not known:
            text = TensorProto.DataType.Name(number).lower() if known else str(number)
            yield Spot(value.name, f"the parser refuses element type {text}")


@rule(
    "input-no-shape",
    fix="declare its shape",
    source="ascend-facts: parser-inputs; a missing shape is the scalar shape [] [run]",
    hides=("shape-dynamic",),
)
def input_no_shape(subject: Subject) -> Iterator[Spot]:
    """A graph input says its shape; without one it silently becomes a scalar."""
    told = subject.input_shape or {}
    for value in subject.inputs:
        tensor = value.type.tensor_type
        if tensor.elem_type and not tensor.HasField("shape") and value.name not in told:
            fix = f"say its sizes: --input-shape {value.name}:SIZES"
            yield Spot(value.name, "it has no shape, the parser takes it for a scalar", fix=fix)


@rule(
    "input-constant",
    fix="leave it out of the graph's inputs",
    severity="warning",
    source="ascend-facts: parser-inputs; treated as constant [run]",
)
def input_constant(subject: Subject) -> Iterator[Spot]:
    """No initializer is listed as a graph input: the compiled model cannot be fed it."""
    for value in subject.graph.input:
        if value.name in subject.constants:
            yield Spot(value.name, "it has an initializer, so it is a constant and no input")
