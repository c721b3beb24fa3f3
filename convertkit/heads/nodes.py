"""Places where a head is looked for, or is already."""

from __future__ import annotations

from typing import Any

from convertkit.passes.finding import Finding


class Refused(Exception):
    """A place stays as it is.

    Attributes:
        why: one line for a finding.
        tensor: the name of the tensor to blame; empty where there is none.
    """

    def __init__(self, why: str, tensor: Any = None) -> None:
        super().__init__(why)
        self.why = why
        self.tensor = "" if tensor is None else str(getattr(tensor, "name", tensor))

    def finding(self, where: str) -> Finding:
        return Finding("refused", where, self.why, self.tensor)


def name_of(node: Any) -> str:
    """For findings: of a node without a name, that of its output."""
    return str(node.name or node.outputs[0].name)
