"""What the legality check says about one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
"""``error``: refused, or computed as something else. ``warning``: it converts, but slower or unconfirmed."""


@dataclass(frozen=True)
class Violation:
    """One way in which a graph is outside what the target takes.

    Attributes:
        node: name of the node, or of the tensor where no node is to blame; empty for the graph as a whole.
        op: its operator type, with the domain where that is not ONNX's own; empty where there is no node.
        rule: which rule was broken, in kebab-case.
        why: one line. fix: one line.
    """

    node: str
    op: str
    rule: str
    why: str
    fix: str
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"{self.node} ({self.op})" if self.op else self.node or "the graph"
        return f"{self.severity}: {where}: {self.why} [{self.rule}]; {self.fix}"
