"""What a vendor operator is: one record with its attributes, its limits and its executable semantics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import convertkit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit_ascend.ops.inference import Node

Shape: TypeAlias = "Sequence[int | str | None]"
"""Sizes; a name or None where one is not known."""

Values: TypeAlias = "Mapping[str, Any]"
"""Attributes by name as Python values: float, int, str, list of float."""

Inputs: TypeAlias = "Sequence[NDArray[Any] | None]"
Outputs: TypeAlias = "tuple[NDArray[Any], ...]"
Compute: TypeAlias = "Callable[[Inputs, Values], Outputs]"

Semantics = Literal["framework", "ideal", "device"]
"""What mmdet computes in fp32, what the operator is defined to compute in fp32, what the 310P kernel computes."""

OPSETS = (11, 16)
"""Opsets at which the vendor's ONNX parser knows the operators and everything else a detection graph needs.

Both are registered for ``ai.onnx`` 8 to 16, and ``--framework=5`` takes 11 to 18 (ascend-facts: parser-opsets).
"""

_PYTHON: dict[str, type] = {"FLOAT": float, "INT": int, "STRING": str}


@dataclass(frozen=True)
class Attribute:
    """One attribute: its ONNX type, and the values that the vendor's stack takes.

    Args:
        kind: the ONNX type. The vendor's plugins skip an attribute of another type (ascend-facts: parser-attributes).
        default: what the vendor assumes when it is absent; None says that it is required.
        low, high: the closed range of values, None where it is open.
    """

    name: str
    kind: Literal["FLOAT", "INT", "STRING", "FLOATS"]
    doc: str
    default: float | int | str | tuple[float, ...] | None = None
    low: float | None = None
    high: float | None = None

    def violations(self, values: Values) -> list[str]:
        """One line when the value is missing, has another type, or lies outside the range."""
        if self.name not in values:
            return [f"{self.name} is required"] if self.default is None else []
        value = values[self.name]
        if not self._is_kind(value):
            return [f"{self.name} must be {self.kind}, it is {value!r}; the vendor's parser would ignore it"]
        numbers = value if self.kind == "FLOATS" else [] if self.kind == "STRING" else [value]
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
class Fault:
    """Why the vendor's parser or kernel would refuse a node, or silently change it.

    Attributes:
        attribute: the one to blame, where it is one alone.
        is_open: nothing is known to be wrong but that a size is not known.
    """

    why: str
    attribute: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class VendorOp:
    """An operator that only the target knows.

    Args:
        infer: sets the outputs' types on a :class:`~convertkit_ascend.ops.inference.Node`, or refuses the node.
        sizes: faults of shapes and of attributes together: ``(attributes with defaults, shapes) -> faults``.
        remarks: what works but deserves a thought: ``(attributes with defaults, shapes) -> lines``.
        semantics: the implementations in numpy.
    """

    name: str
    doc: str
    inputs: tuple[Formal, ...]
    outputs: tuple[Formal, ...]
    attributes: tuple[Attribute, ...]
    infer: Callable[[Node], None]
    sizes: Callable[[Values, Sequence[Shape | None]], list[Fault]]
    remarks: Callable[[Values, Sequence[Shape | None]], list[str]]
    semantics: Mapping[Semantics, Compute]

    def limits(self, attributes: Values, shapes: Sequence[Shape | None], opset: int) -> list[str]:
        """Everything that the vendor's parser or kernel would refuse or silently change, one line each.

        Args:
            attributes: of the node, as Python values.
            shapes: of the inputs; None for an absent or unknown one.
            opset: of the default domain in the model given to the vendor's compiler.
        """
        lines = [] if OPSETS[0] <= opset <= OPSETS[1] else [f"opset must be 11 to 16, it is {opset}"]
        known = {item.name for item in self.attributes}
        lines += [f"{name} is not an attribute of {self.name}" for name in sorted(set(attributes) - known)]
        wrong = [line for item in self.attributes for line in item.violations(attributes)]
        return lines + (wrong or [fault.why for fault in self.sizes(self.complete(attributes), shapes)])

    def notes(self, attributes: Values, shapes: Sequence[Shape | None]) -> list[str]:
        """What the 310P does differently from the ideal for such a node, one line each."""
        return self.remarks(self.complete(attributes), shapes)

    def complete(self, attributes: Values) -> Values:
        """The attributes with the vendor's defaults for absent ones."""
        defaults = {item.name: item.default for item in self.attributes if item.default is not None}
        return {**defaults, **attributes}

    def compute(self, semantics: Semantics, inputs: Inputs, attributes: Values) -> Outputs:
        """Run one node.

        Args:
            inputs: arrays in the operator's order, None for an absent optional one.
            attributes: of the node; absent ones get their defaults.

        Raises:
            UsageError: an attribute is missing, unknown or has the wrong type, or the semantics is unknown.
        """
        if semantics not in self.semantics:
            raise convertkit.UnknownNameError("semantics", semantics, self.semantics)
        known = {item.name for item in self.attributes}
        wrong = [f"{name} is not an attribute" for name in sorted(set(attributes) - known)]
        wrong += [line for item in self.attributes for line in item.violations(attributes)]
        if wrong:
            raise convertkit.UsageError(f"{self.name}: {'; '.join(wrong)}")
        return self.semantics[semantics](inputs, self.complete(attributes))
