"""What an operator outside of standard ONNX is: one record with its attributes, its inference and what it computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from convertkit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.heads.inference import Node

Shape: TypeAlias = "Sequence[int | str | None]"
"""Sizes; a name or None where one is not known."""

Values: TypeAlias = "Mapping[str, Any]"
"""Attributes by name as Python values: float, int, str, list of float."""

Inputs: TypeAlias = "Sequence[NDArray[Any] | None]"
Outputs: TypeAlias = "tuple[NDArray[Any], ...]"
Compute: TypeAlias = "Callable[[Inputs, Values], Outputs]"

_PYTHON: dict[str, type] = {"FLOAT": float, "INT": int, "STRING": str}


@dataclass(frozen=True)
class Attribute:
    """One attribute: its ONNX type, and the values that it may have.

    Args:
        kind: the ONNX type.
        default: what an absent one means; None says that it is required.
        low, high: the closed range of values, None where it is open.
        choices: of a text; none where any will do.
    """

    mistyped: ClassVar[str] = ""
    """What happens to one of another type, behind the line that says so."""

    name: str
    kind: Literal["FLOAT", "INT", "STRING", "FLOATS"]
    doc: str
    default: float | int | str | tuple[float, ...] | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def violations(self, values: Values) -> list[str]:
        """One line when the value is missing, has another type, or lies outside the range."""
        if self.name not in values:
            return [f"{self.name} is required"] if self.default is None else []
        value = values[self.name]
        if not self._is_kind(value):
            return [f"{self.name} must be {self.kind}, it is {value!r}{self.mistyped}"]
        if self.kind == "STRING":
            wrong = self.choices and value not in self.choices
            return [f"{self.name} must be {' or '.join(self.choices)}, it is {value!r}"] if wrong else []
        numbers = value if self.kind == "FLOATS" else [value]
        return [line for number in numbers for line in self._range(number)]

    def _is_kind(self, value: object) -> bool:
        if self.kind == "FLOATS":
            return isinstance(value, (list, tuple)) and all(isinstance(item, float) for item in value)
        return isinstance(value, _PYTHON[self.kind]) and not isinstance(value, bool)

    def _range(self, value: float) -> list[str]:
        low, high = self.low, self.high
        if (low is None or value >= low) and (high is None or value <= high):
            return []
        wanted = (
            f"{low} or more" if high is None else f"{high} or less" if low is None else f"{low} to {high}"
        )
        return [f"{self.name} must be {wanted}, it is {value}"]


@dataclass(frozen=True)
class Formal:
    """One input or output.

    Args:
        type: ``T`` for the floating type all share, or a concrete one such as ``tensor(int32)``.
    """

    name: str
    doc: str
    type: str = "T"
    option: Literal["single", "optional", "variadic"] = "single"


@dataclass(frozen=True)
class Operator:
    """An operator with a schema of its own.

    Args:
        infer: sets the outputs' types on a :class:`~convertkit.heads.inference.Node`, or refuses the node.
    """

    name: str
    doc: str
    inputs: tuple[Formal, ...]
    outputs: tuple[Formal, ...]
    attributes: tuple[Attribute, ...]
    infer: Callable[[Node], None]

    def complete(self, attributes: Values) -> Values:
        """The attributes with the defaults for absent ones."""
        defaults = {item.name: item.default for item in self.attributes if item.default is not None}
        return {**defaults, **attributes}

    def wrong(self, attributes: Values) -> list[str]:
        """One line for each attribute that is unknown, missing or not what it may be."""
        known = {item.name for item in self.attributes}
        lines = [f"{name} is not an attribute" for name in sorted(set(attributes) - known)]
        return lines + [line for item in self.attributes for line in item.violations(attributes)]

    def checked(self, attributes: Values) -> Values:
        """The attributes with their defaults.

        Raises:
            UsageError: one is missing, unknown or has the wrong type.
        """
        if wrong := self.wrong(attributes):
            raise UsageError(f"{self.name}: {'; '.join(wrong)}")
        return self.complete(attributes)


@dataclass(frozen=True)
class Head(Operator):
    """A detection head: what several vendors have as one operator, and what it computes in fp32."""

    reference: Compute

    def compute(self, inputs: Inputs, attributes: Values) -> Outputs:
        """Run one node.

        Args:
            inputs: arrays in the operator's order, None for an absent optional one.
            attributes: of the node; absent ones get their defaults.

        Raises:
            UsageError: an attribute is missing, unknown or has the wrong type.
        """
        return self.reference(inputs, self.checked(attributes))
