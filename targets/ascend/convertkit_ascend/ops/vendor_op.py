"""What a vendor operator is: an operator with its limits and its executable semantics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from convertkit.api import errors, heads

if TYPE_CHECKING:
    from convertkit.api.heads import Inputs, Outputs, Shape, Values

Compute: TypeAlias = "Callable[[Inputs, Values], Outputs]"

Semantics = Literal["framework", "ideal", "device"]
"""What mmdet computes in fp32, what the operator is defined to compute in fp32, what the 310P kernel computes."""

OPSETS = (11, 16)
"""Opsets at which the vendor's ONNX parser knows the operators and everything else a detection graph needs.

Both are registered for ``ai.onnx`` 8 to 16, and ``--framework=5`` takes 11 to 18 (ascend-facts: parser-opsets).
"""


@dataclass(frozen=True)
class Attribute(heads.Attribute):
    """An attribute; the vendor's plugins skip one of another type (ascend-facts: parser-attributes)."""

    mistyped: ClassVar[str] = "; the vendor's parser would ignore it"


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
class VendorOp(heads.Operator):
    """An operator that only the target knows.

    Args:
        sizes: faults of shapes and of attributes together: ``(attributes with defaults, shapes) -> faults``.
        remarks: what works but deserves a thought: ``(attributes with defaults, shapes) -> lines``.
        semantics: the implementations in numpy.
    """

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

    def compute(self, semantics: Semantics, inputs: Inputs, attributes: Values) -> Outputs:
        """Run one node.

        Args:
            inputs: arrays in the operator's order, None for an absent optional one.
            attributes: of the node; absent ones get their defaults.

        Raises:
            UsageError: an attribute is missing, unknown or has the wrong type, or the semantics is unknown.
        """
        if semantics not in self.semantics:
            raise errors.UnknownNameError("semantics", semantics, self.semantics)
        return self.semantics[semantics](inputs, self.checked(attributes))
