"""Checks about the attributes of a node. An attribute that is absent has ONNX's default."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from onnx import TensorProto

if TYPE_CHECKING:
    from convertkit_ascend.legality.table import Check
    from convertkit_ascend.legality.view import Node


def attr_default(node: Node, check: Check) -> str | None:
    set_here = [name for name in check.names if name in node.attributes]
    changed = [name for name in set_here if node.attribute(name) != node.default(name)]
    return f"{' and '.join(changed)} must keep the default, they are not read" if changed else None


def attr_all_equal(node: Node, check: Check) -> str | None:
    values = _numbers(node, check.name)
    if not _applies(node, check) or all(value == check.value for value in values):
        return None
    return f"{check.name} must be all {check.value}, it is {values}"


def attr_equals(node: Node, check: Check) -> str | None:
    value = node.attribute(check.name)
    if value is None or value == check.value:
        return None
    return f"{check.name} must be {check.value}, it is {value}"


def attr_explicit(node: Node, check: Check) -> str | None:
    return None if check.name in node.attributes else f"{check.name} should be written, defaults differ"


def attr_in(node: Node, check: Check) -> str | None:
    value = node.attribute(check.name)
    if value is None or value in check.values or not _applies(node, check):
        return None
    return f"{check.name} must be {' or '.join(map(str, check.values))}, it is {value}"


def attr_len(node: Node, check: Check) -> str | None:
    values = _numbers(node, check.name)
    if check.name not in node.attributes or len(values) == check.value:
        return None
    return f"{check.name} must have {check.value} entries, it has {len(values)}"


def attr_len_even(node: Node, check: Check) -> str | None:
    values = _numbers(node, check.name)
    return (
        f"{check.name} must have an even number of entries, it has {len(values)}" if len(values) % 2 else None
    )


def attr_not(node: Node, check: Check) -> str | None:
    value: Any = node.attribute(check.name)
    if node.op == "Cast" and isinstance(value, int) and value in TensorProto.DataType.values():
        value = TensorProto.DataType.Name(value)
    return f"{check.name} must not be {check.value}" if value == check.value else None


def attr_odd(node: Node, check: Check) -> str | None:
    even = [value for value in _numbers(node, check.name) if value % 2 == 0]
    return f"{check.name} must be odd, it is {even[0]}" if even else None


def attr_only(node: Node, check: Check) -> str | None:
    others = sorted(set(node.attributes) - set(check.names))
    return f"only {' and '.join(check.names)} is read, not {' or '.join(others)}" if others else None


def attr_product_max(node: Node, check: Check) -> str | None:
    product = math.prod(_numbers(node, check.name))
    if check.max is None or product <= check.max:
        return None
    return f"the product of {check.name} is {product}, more than {check.max}"


def attr_range(node: Node, check: Check) -> str | None:
    low, high = check.min or 0, check.max or 0
    outside = [value for value in _numbers(node, check.name) if not low <= value <= high]
    return f"{check.name} must be {low} to {high}, it is {outside[0]}" if outside else None


def attr_required(node: Node, check: Check) -> str | None:
    return attr_type(node, check) if check.name in node.attributes else f"attribute {check.name} is missing"


def attr_type(node: Node, check: Check) -> str | None:
    if check.name not in node.attributes or not check.type:
        return None
    kind = node.attribute_type(check.name)
    return (
        None
        if kind == check.type
        else f"{check.name} must be {check.type}, it is {kind} and would be ignored"
    )


def _numbers(node: Node, name: str) -> list[int]:
    """The entries of an attribute; none where it is mistyped, which is another rule's business."""
    value = node.attribute(name)
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, int)]


def _applies(node: Node, check: Check) -> bool:
    if check.when_mode and node.attribute("mode") != check.when_mode:
        return False
    shape = node.view.shape(node.input(0))
    return check.only_rank is None or (shape is not None and len(shape) == check.only_rank)
