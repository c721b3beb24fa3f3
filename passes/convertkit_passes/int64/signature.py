"""What an operator's ONNX schema says about the types of its inputs and outputs, at one opset."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx.defs import OpSchema


@dataclass(frozen=True)
class Formal:
    """A formal input or output.

    Attributes:
        name: such as ``indices``.
        type: a type variable (``Tind``) or a type (``tensor(int64)``).
        shared: slots of the same type variable have the same type (not so for heterogeneous variadics).
    """

    name: str
    type: str
    shared: bool

    @property
    def is_variable(self) -> bool:
        """Whether :attr:`type` is a type variable."""
        return "(" not in self.type


@dataclass(frozen=True)
class Signature:
    """The type side of a schema.

    Attributes:
        opset: the version of its domain that the model imports.
        allowed: the types each type variable may take.
    """

    op: str
    opset: int
    inputs: tuple[Formal, ...]
    outputs: tuple[Formal, ...]
    allowed: dict[str, frozenset[str]]

    def input(self, index: int) -> Formal | None:
        """The formal of input ``index``; the last one repeats where it is variadic."""
        return _at(self.inputs, index)

    def output(self, index: int) -> Formal | None:
        """The formal of output ``index``."""
        return _at(self.outputs, index)

    def takes(self, formal: Formal, kind: str) -> bool:
        """Whether a formal may be a tensor of ``kind`` (``int32``)."""
        wanted = f"tensor({kind})"
        return wanted in self.allowed.get(formal.type, ()) if formal.is_variable else formal.type == wanted

    def is_open(self, formal: Formal) -> bool:
        """Whether a formal may be of more than one type."""
        return formal.is_variable and len(self.allowed.get(formal.type, ())) > 1

    def is_tensor(self, formal: Formal) -> bool:
        """Whether a formal can be a plain tensor at all, and not only a sequence, map or optional."""
        kinds = self.allowed.get(formal.type, frozenset()) if formal.is_variable else {formal.type}
        return any(kind.startswith("tensor(") for kind in kinds)


@functools.lru_cache(maxsize=4096)
def signature(op: str, domain: str, opset: int) -> Signature | None:
    """The signature of an operator, or None where no schema is registered for it."""
    import onnx.defs

    try:
        schema = onnx.defs.get_schema(op, opset, "" if domain == "ai.onnx" else domain)
    except onnx.defs.SchemaError:
        return None
    return Signature(
        op=op,
        opset=opset,
        inputs=tuple(_formal(item, schema) for item in schema.inputs),
        outputs=tuple(_formal(item, schema) for item in schema.outputs),
        allowed={item.type_param_str: frozenset(item.allowed_type_strs) for item in schema.type_constraints},
    )


def _formal(item: Any, schema: OpSchema) -> Formal:
    variadic = item.option == type(schema).FormalParameterOption.Variadic
    return Formal(item.name, item.type_str, shared=item.is_homogeneous or not variadic)


def _at(formals: tuple[Formal, ...], index: int) -> Formal | None:
    return formals[min(index, len(formals) - 1)] if formals else None
