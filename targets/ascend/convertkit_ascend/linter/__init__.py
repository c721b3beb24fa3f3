"""The linter: what the compiler would refuse, and above all what it would silently change, before it runs.

It examines the file that ATC is to read, as it is on the disk. ``rules/`` has the traps of the vendor's ONNX parser and
what is to be said of operators, types and shapes. Where a CANN installation is there, its kernel lists are the truth
for the latter, else the table of this package (:mod:`.table`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convertkit.api import targets


@dataclass(frozen=True)
class AscendLinter:
    """The linter as the core knows it, for one chip."""

    soc: str

    def rules(self) -> tuple[targets.LintRule, ...]:
        from convertkit_ascend.linter.rules import catalogue

        return catalogue()

    def lint(
        self, path: Path, input_shape: Mapping[str, tuple[int, ...]] | None = None
    ) -> targets.LintReport:
        from convertkit_ascend.linter.apart import lint_apart

        return lint_apart(path, self.soc, input_shape)
