"""What a target's compiler would refuse or silently change in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import Sizes, open_all, told_in
from convertkit.api.commands.pages import Block, Shown, Table, shortened
from convertkit.api.commands.places import Place
from convertkit.errors import UsageError, nearest
from convertkit.targets.lint import LintFinding, LintReport

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.input_shapes import Shapes
    from convertkit.targets.capabilities import Linter

FEW = 3
"""Findings of one kind that have a row each in the table."""

MOST_ROWS = 100

NAME, TEXT = 90, 240
"""Characters of a name and of a sentence in the table; the record has all."""


class Linted(Shown, Struct, frozen=True):
    """``basis``: the tables that the findings rest on. ``file`` is the graph's name where it was in memory."""

    file: str
    target: str
    errors: int
    warnings: int
    findings: tuple[LintFinding, ...]
    allowed: tuple[LintFinding, ...]
    basis: tuple[str, ...]

    @classmethod
    def of(cls, report: LintReport, file: str, target: str) -> Linted:
        return cls(
            file, target, report.errors, report.warnings, report.findings, report.allowed, report.basis
        )

    @property
    def count(self) -> str:
        """``1 error, 2 warnings``."""
        counts = {"error": self.errors, "warning": self.warnings}
        parts = [f"{number} {word}{'' if number == 1 else 's'}" for word, number in counts.items()]
        return ", ".join([*parts, f"{len(self.allowed)} allowed"] if self.allowed else parts)

    def page(self) -> Iterator[Block]:
        if self.findings:
            rows = [row for kind in _kinds(self.findings) for row in _rows(kind)]
            yield Table(["", "node", "op", "rule", "why", "fix"], rows[:MOST_ROWS])
            yield ""
            if len(rows) > MOST_ROWS or len(rows) < len(self.findings):
                shown = min(len(rows), MOST_ROWS)
                yield f"{len(self.findings)} findings in {shown} rows; --json and --sarif have each of them"
        yield from self.basis
        yield f"{self.file} for {self.target}: {self.count}"


@dataclass(frozen=True)
class Rules:
    """What a target looks for: :meth:`lint` may be asked about any number of graphs."""

    target: str
    linter: Linter
    allowed: frozenset[str]
    shapes: Shapes | None

    @classmethod
    def of(
        cls, target: str, input_shape: Sizes | None, allow: Iterable[str], plugin: Sequence[Place]
    ) -> Rules:
        """Raises ConvertkitError: the target is not known or has no linter, or a rule is not known."""
        from convertkit.targets.capabilities import linter_of

        linter = linter_of(open_all(plugin).targets.get(target))
        return cls(target, linter, _known(allow, linter), told_in(input_shape))

    def lint(self, graph: Place | onnx.ModelProto) -> Linted:
        if isinstance(graph, str | Path):
            return self._file(Path(graph), str(graph))
        from convertkit.graph.io import load, save
        from convertkit.storage.files import work_directory

        with work_directory("lint") as directory:
            save(load(graph), directory / "model.onnx")
            return self._file(directory / "model.onnx", graph.graph.name or "the graph")

    def _file(self, path: Path, name: str) -> Linted:
        report = self.linter.lint(path, self.shapes).allowing(self.allowed)
        return Linted.of(report, name, self.target)


def lint(
    graph: Place | onnx.ModelProto,
    *,
    target: str,
    input_shape: Sizes | None = None,
    allow: Iterable[str] = (),
    plugin: Sequence[Place] = (),
) -> Linted:
    """Examines a graph before the target's compiler reads it; a finding is a result, not an error.

    Args:
        graph: an ONNX file, or the model in memory. The others are the options of ``convertkit lint``.

    Raises:
        ConvertkitError: what was asked cannot be done, or it is no ONNX file.
    """
    return Rules.of(target, input_shape, allow, plugin).lint(graph)


def _known(names: Iterable[str], linter: Linter) -> frozenset[str]:
    """``--allow``, each the id of a rule. There are too many to list them all in an error."""
    found = frozenset((names,) if isinstance(names, str) else names)
    rules = [rule.id for rule in linter.rules()] if found else []
    for name in sorted(found):
        if rules and name not in rules:
            hint = nearest(name, rules, "convertkit list rules shows all")
            raise UsageError(f"unknown rule {name!r}", hint=hint)
    return found


def _kinds(findings: Iterable[LintFinding]) -> list[list[LintFinding]]:
    """The findings of one rule on one operator together, in the order of the first of each."""
    found: dict[tuple[str, str, str], list[LintFinding]] = {}
    for item in findings:
        found.setdefault((item.severity, item.rule, item.op), []).append(item)
    return list(found.values())


def _rows(kind: list[LintFinding]) -> list[list[str]]:
    """One each where there are few, else one for all: the first names and their number."""
    if len(kind) <= FEW:
        return [_row(item, shortened(item.node, NAME), item.why) for item in kind]
    names = ", ".join(shortened(item.node or "-", NAME // FEW) for item in kind[:FEW])
    same = all(item.why == kind[0].why for item in kind)
    why = kind[0].why if same else f"the first: {kind[0].why}"
    return [_row(kind[0], f"{names} and {len(kind) - FEW} more", why)]


def _row(item: LintFinding, node: str, why: str) -> list[str]:
    return [
        item.severity,
        node or "-",
        shortened(item.op, NAME) or "-",
        item.rule,
        shortened(why, TEXT),
        shortened(item.fix, TEXT),
    ]
