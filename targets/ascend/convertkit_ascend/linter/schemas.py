"""What ONNX's schemas say about nodes and types, and what the chip makes of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto
from onnx.defs import OpSchema

from convertkit_ascend.domain import plain

if TYPE_CHECKING:
    from convertkit_ascend.linter.view import Node, View


def element_type(kind: int) -> str:
    """``float32`` for ``TensorProto.FLOAT``; empty for undefined, and for a number that is no type."""
    if kind == TensorProto.UNDEFINED or kind not in TensorProto.DataType.values():
        return ""
    if kind == TensorProto.STRING:
        return "string"
    return str(onnx.helper.tensor_dtype_to_np_dtype(kind).name)


def label(node: onnx.NodeProto) -> str:
    """The node's name; for an unnamed one, its first output in angle brackets."""
    return node.name or f"<{next(iter(node.output), '')}>"


def kind(node: onnx.NodeProto) -> str:
    """The operator type, with its domain where that is not ONNX's own."""
    domain = plain(node.domain)
    return f"{domain}::{node.op_type}" if domain else node.op_type


def schema_of(node: onnx.NodeProto, opset: int) -> OpSchema | None:
    """The schema of a node's operator at the model's opset; None for one that onnx does not know."""
    return node_schema(node.op_type, node.domain, opset)


def node_schema(op: str, domain: str, opset: int) -> OpSchema | None:
    """The same by operator and domain."""
    try:
        if plain(domain):
            return onnx.defs.get_schema(op, domain=domain)
        return onnx.defs.get_schema(op, max(opset, 1), "")
    except onnx.defs.SchemaError:
        return None


def least(op: str, domain: str, opset: int) -> tuple[int, int]:
    """How many inputs and outputs a node has to list; what follows may be left out. Unbounded where it is not known."""
    schema = node_schema(op, domain, opset)
    if schema is None:
        return sys.maxsize, sys.maxsize
    optional = OpSchema.FormalParameterOption.Optional
    needed = [place for place, formal in enumerate(schema.outputs, 1) if formal.option != optional]
    variadic = any(formal.option == OpSchema.FormalParameterOption.Variadic for formal in schema.outputs)
    return schema.min_input, sys.maxsize if variadic else max(needed, default=0)


def type_variables(formals: Sequence[OpSchema.FormalParameter], count: int) -> list[str]:
    """The type variable (``T``) or type (``tensor(int64)``) of each of ``count`` actual inputs or outputs."""
    names = [formal.type_str for formal in formals]
    return [names[min(position, len(names) - 1)] for position in range(count)] if names else []


def is_variable(name: str) -> bool:
    """Whether a type string is a variable that the node binds, not a type."""
    return "(" not in name


def actual_types(view: View) -> Mapping[str, str]:
    """Element types as the chip computes them, for the tensors where they differ from ONNX's.

    Some of the vendor's operators write int32 where ONNX says int64: the indices of TopK, ArgMax, ArgMin (the checks
    ``output_dtype_actual``). Operators that only pass a type on pass that one on, until a Cast.
    """
    found: dict[str, str] = {}
    for node in view.nodes:
        for position, kind in _written(node, found).items():
            if kind and kind != view.dtype(node.proto.output[position]):
                found[node.proto.output[position]] = kind
    return found


def _written(node: Node, found: Mapping[str, str]) -> dict[int, str]:
    """The types of a node's outputs, by position, as far as they are not simply ONNX's."""
    kinds = _passed_on(node, found)
    for check in node.rule.checks if node.rule else ():
        if check.kind == "output_dtype_actual" and check.output < len(node.proto.output):
            kinds[check.output] = check.actual
    return {position: kind for position, kind in kinds.items() if node.proto.output[position]}


def _passed_on(node: Node, found: Mapping[str, str]) -> dict[int, str]:
    schema = schema_of(node.proto, node.view.opset)
    if schema is None or not any(name in found for name in node.inputs):
        return {}
    bound: dict[str, str] = {}
    for name, variable in zip(node.inputs, type_variables(schema.inputs, len(node.inputs)), strict=False):
        if is_variable(variable) and name in found:
            bound.setdefault(variable, found[name])
    variables = type_variables(schema.outputs, len(node.proto.output))
    return {place: bound[variable] for place, variable in enumerate(variables) if variable in bound}
