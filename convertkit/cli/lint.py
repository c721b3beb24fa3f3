"""``convertkit lint``: what a target's compiler would refuse or silently change in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli import several
from convertkit.cli.options import InputShapeOption, JsonOption, PluginOption, open_all, refuse_both, told_in
from convertkit.cli.tables import print_table
from convertkit.cli.ui import print_json
from convertkit.errors import ConvertkitError, LintError, UsageError, nearest

if TYPE_CHECKING:
    from convertkit.targets.capabilities import Linter
    from convertkit.targets.lint import LintFinding, LintReport


FEW = 3
"""Findings of one kind that have a row each in the table."""

MOST_ROWS = 100

NAME, TEXT = 90, 240
"""Characters of a name and of a sentence in the table; JSON and SARIF have all."""


def lint(
    files: Annotated[
        list[Path], typer.Argument(help="ONNX files that the compiler is to read.", metavar="FILE.onnx...")
    ],
    target: Annotated[str, typer.Option("--target", "-t", help="The target whose compiler it is.")],
    input_shape: InputShapeOption = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", help="A rule that may be broken; may be repeated.", metavar="RULE"),
    ] = None,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
    as_sarif: Annotated[
        bool, typer.Option("--sarif", help="Print the result as SARIF 2.1.0 on standard output.")
    ] = False,
) -> None:
    """Examine files before the target's compiler reads them.

    Exit code 1 where an error remains; warnings alone are no failure. Of several files the worst counts.
    """
    from convertkit.targets.capabilities import linter_of

    refuse_both("--json", "--sarif", as_json, as_sarif)
    chosen = linter_of(open_all(plugin).targets.get(target))
    allowed = _known(allow or [], chosen)
    told = told_in(input_shape)
    answers = list(several.each(files, lambda file: chosen.lint(file, told).allowing(allowed)))
    reports = [(file, answer) for file, answer in answers if not isinstance(answer, ConvertkitError)]
    if as_sarif:
        from convertkit.cli.sarif import document

        print_json(document(reports, chosen.rules()))
    elif as_json:
        plain = [
            (file, answer if isinstance(answer, ConvertkitError) else _plain(answer, file, target))
            for file, answer in answers
        ]
        several.print_all(plain)
    else:
        _show_all(reports, target)
    several.end(files, list(_errors(answers, target)))


def _known(names: list[str], linter: Linter) -> set[str]:
    """``--allow``, each the id of a rule. There are too many to list them all in an error."""
    rules = [rule.id for rule in linter.rules()] if names else []
    for name in names:
        if rules and name not in rules:
            hint = nearest(name, rules, "convertkit list rules shows all")
            raise UsageError(f"unknown rule {name!r}", hint=hint)
    return set(names)


def _show_all(reports: Sequence[tuple[Path, LintReport]], target: str) -> None:
    for number, (file, report) in enumerate(reports):
        if number:
            print()
        _show(report, file, target)


def _show(report: LintReport, file: Path, target: str) -> None:
    if report.findings:
        rows = [row for kind in _kinds(report) for row in _rows(kind)]
        print_table(["", "node", "op", "rule", "why", "fix"], rows[:MOST_ROWS])
        print()
        if len(rows) > MOST_ROWS or len(rows) < len(report.findings):
            shown = min(len(rows), MOST_ROWS)
            print(f"{len(report.findings)} findings in {shown} rows; --json and --sarif have each of them")
    for line in report.basis:
        print(line)
    print(f"{file} for {target}: {_count(report)}")


def _kinds(report: LintReport) -> list[list[LintFinding]]:
    """The findings of one rule on one operator together, in the order of the first of each."""
    found: dict[tuple[str, str, str], list[LintFinding]] = {}
    for item in report.findings:
        found.setdefault((item.severity, item.rule, item.op), []).append(item)
    return list(found.values())


def _rows(kind: list[LintFinding]) -> list[list[str]]:
    """One each where there are few, else one for all: the first names and their number."""
    if len(kind) <= FEW:
        return [_row(item, _cut(item.node, NAME), item.why) for item in kind]
    names = ", ".join(_cut(item.node or "-", NAME // FEW) for item in kind[:FEW])
    same = all(item.why == kind[0].why for item in kind)
    why = kind[0].why if same else f"the first: {kind[0].why}"
    return [_row(kind[0], f"{names} and {len(kind) - FEW} more", why)]


def _row(item: LintFinding, node: str, why: str) -> list[str]:
    return [
        item.severity,
        node or "-",
        _cut(item.op, NAME) or "-",
        item.rule,
        _cut(why, TEXT),
        _cut(item.fix, TEXT),
    ]


def _cut(text: str, most: int) -> str:
    """Names and values come out of a file, and may be as long as that."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _count(report: LintReport) -> str:
    counts = {"error": report.errors, "warning": report.warnings}
    parts = [f"{number} {word}{'' if number == 1 else 's'}" for word, number in counts.items()]
    return ", ".join([*parts, f"{len(report.allowed)} allowed"] if report.allowed else parts)


def _plain(report: LintReport, file: Path, target: str) -> dict[str, object]:
    return {
        "file": file,
        "target": target,
        "errors": report.errors,
        "warnings": report.warnings,
        "findings": report.findings,
        "allowed": report.allowed,
        "basis": report.basis,
    }


def _errors(
    answers: Sequence[tuple[Path, LintReport | ConvertkitError]], target: str
) -> Iterator[ConvertkitError]:
    """Why files failed: they could not be read, or an error remains."""
    for file, answer in answers:
        if isinstance(answer, ConvertkitError):
            yield answer
        elif answer.errors:
            yield _unfit(answer, file, target)


def _unfit(report: LintReport, file: Path, target: str) -> LintError:
    first = next(item for item in report.findings if item.severity == "error")
    where = f"{_cut(first.node, NAME)}: " if first.node else ""
    why = _cut(first.why, TEXT)
    return LintError(
        f"{file} is not fit for {target}: {_count(report)}, first: {where}{why} [{first.rule}]",
        hint=f"{first.fix}; --allow RULE lets a rule be broken",
    )
