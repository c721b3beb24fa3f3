"""Rules about constants and weights: what the parser reads of them, and what is silently gone."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import AttributeProto, TensorProto

from convertkit_ascend.domain import plain
from convertkit_ascend.linter import external
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.schemas import kind, label
from convertkit_ascend.linter.subject import Subject

_HOLD = {
    *("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16"),
    *("UINT32", "UINT64", "BOOL", "STRING", "COMPLEX64", "COMPLEX128", "INT4"),
}
"""Types that constants may have; fp8 e5m2 and e4m3fn are for other tensors (ascend-facts: parser-constants)."""


@rule(
    "constant-empty",
    fix="store the tensor in the attribute value, or as an initializer (legalize-ascend does)",
    source="ascend-facts: parser-constants; an empty float Const without any message [run]",
    hides=("attr-only", "attr-type"),
)
def constant_empty(subject: Subject) -> Iterator[Spot]:
    """A Constant has its tensor in the attribute value; every other form silently becomes empty."""
    for node in subject.graph.node:
        if node.op_type != "Constant" or plain(node.domain):
            continue
        value = next((item for item in node.attribute if item.name == "value"), None)
        others = ", ".join(item.name for item in node.attribute) or "nothing"
        if value is None:
            yield Spot.at(node, f"it has {others}, only value is read")
        elif value.type != AttributeProto.TENSOR:
            wrong = AttributeProto.AttributeType.Name(value.type)
            yield Spot.at(node, f"value is of type {wrong}, not TENSOR")


@rule(
    "sparse-initializer",
    fix="write it as a dense initializer",
    source="ascend-facts: parser-constants; ignored, its consumer stays unconnected, parsing succeeds [run]",
)
def sparse_initializer(subject: Subject) -> Iterator[Spot]:
    """There are no sparse initializers: the parser ignores them and leaves their readers open."""
    for item in subject.graph.sparse_initializer:
        yield Spot(item.values.name, "a sparse initializer is ignored")


@rule(
    "weight-type",
    fix="store it as one of the types the parser has",
    source="ascend-facts: parser-constants [run / read]",
    stops="types",
)
def weight_type(subject: Subject) -> Iterator[Spot]:
    """Constants have a type that the parser knows; 8-bit floats are no constant data."""
    for tensor, name, op in _named(subject):
        number = tensor.data_type
        known = number in TensorProto.DataType.values()
        text = TensorProto.DataType.Name(number) if known else str(number)
        if text not in _HOLD:
            yield Spot(name, f"its element type is {text.lower()}", op)


@rule(
    "weight-size",
    fix="write the tensor again",
    source="ONNX: a tensor's data fills its shape; not tried on the parser [derived]",
    stops="types",
)
def weight_size(subject: Subject) -> Iterator[Spot]:
    """A constant's data fills its shape."""
    for tensor, name, op in _named(subject):
        if tensor.data_location != TensorProto.EXTERNAL and not _fills(tensor):
            yield Spot(name, f"its data does not fill the shape {list(tensor.dims)}", op)


@rule(
    "external-outside",
    fix="put the data beside the model",
    source="ascend-facts: parser-external; directory of the model + location [run]; we never open such a file",
    stops="types",
)
def external_outside(subject: Subject) -> Iterator[Spot]:
    """External data lies inside the model's directory."""
    for tensor in subject.external():
        extent = external.find(tensor, subject.directory)
        if extent.outside:
            yield Spot(tensor.name, extent.problem)


@rule(
    "external-missing",
    fix="copy the data beside the model, or embed it",
    source="ascend-facts: parser-external; the file is not opened by the parser, a missing one passes [run]",
    stops="types",
)
def external_missing(subject: Subject) -> Iterator[Spot]:
    """External data is there, as long as the shape wants it; the parser does not look."""
    for tensor in subject.external():
        extent = external.find(tensor, subject.directory)
        if extent.problem and not extent.outside:
            yield Spot(tensor.name, extent.problem)


def _named(subject: Subject) -> Iterator[tuple[TensorProto, str, str]]:
    """Every tensor that is a constant, with the name and the operator to show."""
    for tensor in subject.graph.initializer:
        if not subject.is_detached(tensor):
            yield tensor, tensor.name, ""
    for node in subject.graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t, label(node), kind(node)


def _fills(tensor: TensorProto) -> bool:
    if tensor.HasField("raw_data"):
        return external.size_of(tensor) == len(tensor.raw_data)
    if min(tensor.dims, default=0) < 0:
        return False
    try:
        onnx.numpy_helper.to_array(tensor)
    except (ValueError, KeyError, TypeError, OverflowError):
        return False
    return True
