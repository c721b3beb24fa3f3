"""What a target says about a file before its compiler runs: rules, findings, and what they rest on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

LintSeverity = Literal["error", "warning"]
"""``error``: the compiler would refuse it, or make something else of it. ``warning``: worth a look."""


@dataclass(frozen=True)
class LintRule:
    """One rule of a target.

    Attributes:
        id: kebab-case, unique in its target.
        severity: of its findings, where a finding does not say otherwise.
        summary: what must hold. fix: what to do. source: where that was read. One line each.
    """

    id: str
    severity: LintSeverity
    summary: str
    fix: str
    source: str


@dataclass(frozen=True)
class LintFinding:
    """One place in a file that breaks a rule.

    Attributes:
        node: name of the node, or of the tensor where no node is to blame; empty for the file as a whole.
        op: operator type of the node; empty where there is none.
        rule: its id.
        why, fix: one line each.
    """

    node: str
    op: str
    rule: str
    severity: LintSeverity
    why: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.node} ({self.op})" if self.op else self.node or "the graph"
        return f"{self.severity}: {where}: {self.why} [{self.rule}]; {self.fix}"


@dataclass(frozen=True)
class LintReport:
    """What a target found in a file.

    Attributes:
        findings: errors first. allowed: findings of rules that were allowed.
        basis: what the findings rest on, and what could not be looked at; one line each.
    """

    findings: tuple[LintFinding, ...]
    basis: tuple[str, ...] = ()
    allowed: tuple[LintFinding, ...] = ()

    @property
    def errors(self) -> int:
        return sum(item.severity == "error" for item in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    def allowing(self, rules: Collection[str]) -> LintReport:
        """The report with the findings of these rules set aside."""
        kept = tuple(item for item in self.findings if item.rule not in rules)
        aside = tuple(item for item in self.findings if item.rule in rules)
        return replace(self, findings=kept, allowed=(*self.allowed, *aside))
