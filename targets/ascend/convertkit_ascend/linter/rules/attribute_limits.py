"""Limits of attributes. An attribute that is absent has ONNX's default."""

from __future__ import annotations

import math
from typing import Any

from onnx import TensorProto

from convertkit_ascend.linter.rule import limit
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import Node


@limit("leave the attribute out; compute what it does with other operators")
def attr_absent(node: Node, check: Check) -> str | None:
    """An attribute that is not read keeps its default."""
    set_here = [name for name in check.names if name in node.attributes]
    changed = [name for name in set_here if node.attribute(name) != node.default(name)]
    return f"{' and '.join(changed)} must keep the default, they are not read" if changed else None


@limit()
def attr_default(node: Node, check: Check) -> str | None:
    """An attribute that is not read keeps its default."""
    return attr_absent.check(node, check)


@limit()
def attr_all_equal(node: Node, check: Check) -> str | None:
    """All entries of an attribute have one value."""
    values = _numbers(node, check.name)
    if not _applies(node, check) or all(value == check.value for value in values):
        return None
    return f"{check.name} must be all {check.value}, it is {values}"


@limit()
def attr_equals(node: Node, check: Check) -> str | None:
    """An attribute has the one value that there is."""
    value = node.attribute(check.name)
    return None if value in (None, check.value) else f"{check.name} must be {check.value}, it is {value}"


@limit()
def attr_explicit(node: Node, check: Check) -> str | None:
    """An attribute whose default differs from ONNX's is written."""
    return None if check.name in node.attributes else f"{check.name} should be written, defaults differ"


@limit()
def attr_in(node: Node, check: Check) -> str | None:
    """An attribute has one of the values that there are."""
    value = node.attribute(check.name)
    if value is None or value in check.values or not _applies(node, check):
        return None
    return f"{check.name} must be {' or '.join(map(str, check.values))}, it is {value}"


@limit()
def attr_len(node: Node, check: Check) -> str | None:
    """An attribute has the right number of entries."""
    count = len(_numbers(node, check.name))
    if check.name not in node.attributes or count == check.value:
        return None
    return f"{check.name} must have {check.value} entries, it has {count}"


@limit()
def attr_len_even(node: Node, check: Check) -> str | None:
    """An attribute has an even number of entries."""
    count = len(_numbers(node, check.name))
    return f"{check.name} must have an even number of entries, it has {count}" if count % 2 else None


@limit()
def attr_not(node: Node, check: Check) -> str | None:
    """An attribute does not have a value that is refused."""
    value: Any = node.attribute(check.name)
    if node.op == "Cast" and isinstance(value, int) and value in TensorProto.DataType.values():
        value = TensorProto.DataType.Name(value)
    return f"{check.name} must not be {check.value}" if value == check.value else None


@limit()
def attr_odd(node: Node, check: Check) -> str | None:
    """An attribute is odd."""
    even = [value for value in _numbers(node, check.name) if value % 2 == 0]
    return f"{check.name} must be odd, it is {even[0]}" if even else None


@limit("store the tensor in the attribute value, or as an initializer")
def attr_only(node: Node, check: Check) -> str | None:
    """A node has no attribute but the one that is read."""
    others = sorted(set(node.attributes) - set(check.names))
    return f"only {' and '.join(check.names)} is read, not {' or '.join(others)}" if others else None


@limit()
def attr_product_max(node: Node, check: Check) -> str | None:
    """The product of an attribute's entries is not too large."""
    product = math.prod(_numbers(node, check.name))
    if check.max is None or product <= check.max:
        return None
    return f"the product of {check.name} is {product}, more than {check.max}"


@limit()
def attr_range(node: Node, check: Check) -> str | None:
    """An attribute is inside its range."""
    low, high = check.min or 0, check.max or 0
    outside = [value for value in _numbers(node, check.name) if not low <= value <= high]
    return f"{check.name} must be {low} to {high}, it is {outside[0]}" if outside else None


@limit("write the attribute with its ONNX type")
def attr_required(node: Node, check: Check) -> str | None:
    """An attribute that the parser insists on is written."""
    if check.name not in node.attributes:
        return f"attribute {check.name} is missing"
    return attr_type.check(node, check)


@limit("write the attribute with the type the parser reads")
def attr_type(node: Node, check: Check) -> str | None:
    """Attributes have the type that the parser reads; others are skipped, defaults stay."""
    if check.name not in node.attributes or check.type in ("", node.attribute_type(check.name)):
        return None
    kind = node.attribute_type(check.name)
    return f"{check.name} must be {check.type}, it is {kind} and would be ignored"


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
