"""``convertkit lint``: what a target's compiler would refuse or silently change in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli import several
from convertkit.cli.options import InputShapeOption, JsonOption, PluginOption, refuse_both
from convertkit.cli.ui import print_json, show
from convertkit.errors import ConvertkitError, LintError

if TYPE_CHECKING:
    from convertkit.api.commands.lint import Linted


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
    from convertkit.api.commands.lint import Linted, Rules

    refuse_both("--json", "--sarif", as_json, as_sarif)
    rules = Rules.of(target, input_shape, allow or (), plugin or ())
    answers = list(several.each(files, rules.lint))
    reports = [answer for _, answer in answers if isinstance(answer, Linted)]
    if as_sarif:
        from convertkit.api.commands.sarif import document

        print_json(document(reports, rules.linter.rules()))
    elif as_json:
        several.print_all(answers)
    else:
        for number, report in enumerate(reports):
            show([*([""] if number else []), *report.page()])
    bad = [_unfit(answer) if isinstance(answer, Linted) else answer for _, answer in answers]
    several.end(files, [error for error in bad if error is not None])


def _unfit(report: Linted) -> ConvertkitError | None:
    from convertkit.api.commands.lint import NAME, TEXT
    from convertkit.api.commands.pages import shortened

    if not report.errors:
        return None
    first = next(item for item in report.findings if item.severity == "error")
    where = f"{shortened(first.node, NAME)}: " if first.node else ""
    why = shortened(first.why, TEXT)
    return LintError(
        f"{report.file} is not fit for {report.target}: {report.count}, first: {where}{why} [{first.rule}]",
        hint=f"{first.fix}; --allow RULE lets a rule be broken",
    )
