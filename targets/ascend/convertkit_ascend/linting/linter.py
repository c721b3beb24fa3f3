"""The linter as the core knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import convertkit


@dataclass(frozen=True)
class AscendLinter:
    """What ATC would refuse or silently change, for one chip."""

    soc: str

    def rules(self) -> tuple[convertkit.LintRule, ...]:
        from convertkit_ascend.preflight import catalogue

        return tuple(
            convertkit.LintRule(item.id, item.severity, item.summary, item.fix, item.source)
            for item in catalogue()
        )

    def lint(
        self, path: Path, input_shape: Mapping[str, tuple[int, ...]] | None = None
    ) -> convertkit.LintReport:
        from convertkit_ascend.linting import lint_apart

        return lint_apart(path, self.soc, input_shape)
