"""Whether a node means the same in another version of its operator, told from both schemas.

An attribute that one of the versions does not have means there what its default says: ONNX adds attributes so that
older nodes keep their meaning. The exceptions are listed; they are those of ONNX's change log up to opset 25.
"""

from __future__ import annotations

from typing import Any

import onnx

from convertkit_passes.opsets.types import Refused, Scope, attributes, rewritten

MEANT: dict[tuple[str, str], Any] = {
    ("RoiAlign", "coordinate_transformation_mode"): b"output_half_pixel",
}
"""What operators did before they had an attribute, where it is not the attribute's default."""

OTHER_MEANING = {
    ("Softmax", 13),
    ("LogSoftmax", 13),
    ("Hardmax", 13),
    ("GridSample", 20),
    ("GroupNormalization", 21),
}
"""Versions that compute something else from what may be the same inputs and attributes."""

SINCE: dict[tuple[str, str], dict[bytes, int]] = {
    ("Resize", "coordinate_transformation_mode"): {b"half_pixel_symmetric": 19},
    ("Pad", "mode"): {b"wrap": 19},
    ("ScatterElements", "reduction"): {b"max": 18, b"min": 18},
    ("ScatterND", "reduction"): {b"max": 18, b"min": 18},
}
"""Values of an attribute that later versions than that of the attribute have brought."""

UNTIL: dict[tuple[str, str], dict[bytes, int]] = {
    ("Resize", "coordinate_transformation_mode"): {b"tf_half_pixel_for_nn": 12},
}
"""Values of an attribute that are gone after an opset."""


def schema(op: str, opset: int) -> onnx.defs.OpSchema | None:
    """What an opset says of an operator, which may be that it is deprecated; None where it says nothing."""
    try:
        return onnx.defs.get_schema(op, opset, "")
    except onnx.defs.SchemaError:
        return None


def check_values(node: onnx.NodeProto, opset: int) -> None:
    """Refuses a value of an attribute that the attribute does not have in an opset.

    Raises:
        Refused: there is one.
    """
    for name, value in attributes(node).items():
        if not isinstance(value, bytes):
            continue
        first = SINCE.get((node.op_type, name), {}).get(value, opset)
        last = UNTIL.get((node.op_type, name), {}).get(value, opset)
        if not first <= opset <= last:
            raise Refused(f"{name}={shown(value)} cannot be said")


def same(
    node: onnx.NodeProto, scope: Scope, old: onnx.defs.OpSchema, new: onnx.defs.OpSchema
) -> onnx.NodeProto:
    """The node in another version that computes the same, of the same inputs.

    Raises:
        Refused: there is none.
    """
    if (node.op_type, max(old.since_version, new.since_version)) in OTHER_MEANING:
        raise Refused("it computes something else", "simplify in front of it may tell its shapes")
    _check_counts(node, new)
    _check_types(node, scope, new)
    given, values = attributes(node), {}
    for name in {**given, **old.attributes, **new.attributes}:
        value = _value(node.op_type, name, given, old, new)
        if name in new.attributes:
            values[name] = value if name in given or value != default(new, name) else None
        elif not _idle(name, value, MEANT.get((node.op_type, name), default(old, name))):
            raise Refused(f"{name}={shown(value)} cannot be said")
    return rewritten(node, values)


def default(of: onnx.defs.OpSchema, name: str) -> Any:
    """The default of an attribute; None where it has none."""
    value = of.attributes[name].default_value if name in of.attributes else None
    return onnx.helper.get_attribute_value(value) if value is not None and value.name else None


def shown(value: Any) -> str:
    """The value of an attribute as an error shows it."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return " ".join(text.split())[:60]


def _value(
    op: str, name: str, given: dict[str, Any], old: onnx.defs.OpSchema, new: onnx.defs.OpSchema
) -> Any:
    """What the node computes with, said by it or not."""
    if name in given:
        return given[name]
    if name in old.attributes:
        return default(old, name)
    return MEANT.get((op, name), default(new, name))


def _idle(name: str, value: Any, neutral: Any) -> bool:
    ones = name == "dilations" and value is not None and all(item == 1 for item in value)
    return value is None or value == neutral or ones


def _check_counts(node: onnx.NodeProto, new: onnx.defs.OpSchema) -> None:
    for what, given, low, high, formals in (
        ("inputs", node.input, new.min_input, new.max_input, new.inputs),
        ("outputs", node.output, new.min_output, new.max_output, new.outputs),
    ):
        if not low <= len(given) <= high:
            raise Refused(f"it has {len(given)} {what}, not {low} to {high}")
        single = onnx.defs.OpSchema.FormalParameterOption.Single
        if any(not name and formal.option == single for name, formal in zip(given, formals, strict=False)):
            raise Refused(f"one of its {what} must not be left out")


def _check_types(node: onnx.NodeProto, scope: Scope, new: onnx.defs.OpSchema) -> None:
    for names, formals in ((node.input, new.inputs), (node.output, new.outputs)):
        for at, name in enumerate(names):
            kind = scope.types[name].tensor_type.elem_type if name in scope.types else 0
            text = f"tensor({onnx.TensorProto.DataType.Name(kind).lower()})" if kind else ""
            formal = formals[min(at, len(formals) - 1)]
            if text and formal.types and text not in formal.types:
                raise Refused(f"{text} of {name!r} is not taken")
