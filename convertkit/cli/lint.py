"""``convertkit lint``: what a target's compiler would refuse or silently change in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli.options import InputShapeOption, JsonOption, PluginOption, open_all

if TYPE_CHECKING:
    from convertkit.targets.base import Target
    from convertkit.targets.lint import LintFinding, LintReport


def lint(
    file: Annotated[
        Path, typer.Argument(help="ONNX file that the compiler is to read.", metavar="FILE.onnx")
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
    """Examine a file before the target's compiler reads it.

    Exit code 1 where an error remains; warnings alone are no failure.
    """
    from convertkit.cli.ui import print_json

    if as_json and as_sarif:
        from convertkit.errors import UsageError

        raise UsageError("--json and --sarif exclude each other", hint="give one of them")
    chosen = open_all(plugin).targets.get(target)()
    allowed = _known(allow or [], chosen)
    report = chosen.lint(file, None if input_shape is None else sizes(input_shape)).allowing(allowed)
    if as_sarif:
        from convertkit.cli.sarif import document

        print_json(document(report, chosen.lint_rules(), file))
    elif as_json:
        print_json(_plain(report, file, target))
    else:
        _show(report, file, target)
    _fail_on_errors(report, file, target)


def sizes(text: str) -> dict[str, tuple[int, ...]]:
    """The sizes in ``name:1,3,640,640;other:1,4``, by name; a name may hold colons.

    Raises:
        UsageError: it is not of that form, or names an input twice.
    """
    from convertkit.errors import UsageError

    found: dict[str, tuple[int, ...]] = {}
    for part in filter(None, (each.strip() for each in text.split(";"))):
        name, colon, numbers = part.rpartition(":")
        try:
            shape = tuple(int(number) for number in numbers.split(",")) if numbers.strip() else ()
        except ValueError:
            shape = (-2,)
        if not colon or not name or min(shape, default=0) < -1:
            raise UsageError(
                f"--input-shape {part!r} is not NAME:SIZE,SIZE,...", hint='like "image:1,3,640,640"'
            )
        if name in found:
            raise UsageError(f"--input-shape names {name!r} twice", hint="give every input once")
        found[name] = shape
    if not found:
        raise UsageError("--input-shape is empty", hint='like "image:1,3,640,640"')
    return found


def _known(names: list[str], target: Target) -> set[str]:
    """``--allow``, each the id of a rule. There are too many to list them all in an error."""
    from convertkit.errors import UsageError, nearest

    rules = [rule.id for rule in target.lint_rules()] if names else []
    for name in names:
        if rules and name not in rules:
            hint = nearest(name, rules, "convertkit list rules shows all")
            raise UsageError(f"unknown rule {name!r}", hint=hint)
    return set(names)


def _show(report: LintReport, file: Path, target: str) -> None:
    from convertkit.cli.ui import print_table

    if report.findings:
        columns = ["", "node", "op", "rule", "why", "fix"]
        print_table(columns, [_row(item) for item in report.findings])
        print()
    for line in report.basis:
        print(line)
    print(f"{file} for {target}: {_count(report)}")


def _row(item: LintFinding) -> list[str]:
    return [item.severity, item.node or "-", item.op or "-", item.rule, item.why, item.fix]


def _count(report: LintReport) -> str:
    parts = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in _numbers(report)]
    return ", ".join([*parts, f"{len(report.allowed)} allowed"] if report.allowed else parts)


def _numbers(report: LintReport) -> list[tuple[int, str]]:
    return [(report.errors, "error"), (report.warnings, "warning")]


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


def _fail_on_errors(report: LintReport, file: Path, target: str) -> None:
    from convertkit.errors import LintError

    if report.errors:
        first = next(item for item in report.findings if item.severity == "error")
        where = f"{first.node}: " if first.node else ""
        raise LintError(
            f"{file} is not fit for {target}: {_count(report)}, first: {where}{first.why} [{first.rule}]",
            hint="--allow RULE lets a rule be broken",
        )
