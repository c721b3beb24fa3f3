"""The vendor operators by name, and their schemas in onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api import errors, heads
from convertkit_ascend.domain import DOMAIN as DOMAIN

if TYPE_CHECKING:
    from convertkit_ascend.ops.vendor_op import VendorOp

_ops: dict[str, VendorOp] = {}


def add(op: VendorOp) -> VendorOp:
    """Make an operator known.

    Raises:
        PluginError: another operator has its name.
    """
    if _ops.setdefault(op.name, op) is not op:
        raise errors.PluginError(f"vendor operator {op.name!r} is registered twice")
    return op


def get(name: str) -> VendorOp:
    """The operator of that name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in _ops:
        raise errors.UnknownNameError("vendor operator", name, _ops)
    return _ops[name]


def names() -> tuple[str, ...]:
    """All names, in alphabetical order."""
    return tuple(sorted(_ops))


def register_schemas() -> None:
    """Make onnx know the operators."""
    heads.register(_ops.values(), DOMAIN)
