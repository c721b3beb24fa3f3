"""Preflight as a step of the build: a report beside the graph, and a refusal where an error is left."""

from __future__ import annotations

import json
from pathlib import Path

from convertkit.api import errors as api_errors
from convertkit.api import targets
from convertkit_ascend import socs
from convertkit_ascend.atc import AtcOptions
from convertkit_ascend.atc.shapes import FREE
from convertkit_ascend.bundle.atc_json import Recorded
from convertkit_ascend.bundle.names import REPORT
from convertkit_ascend.linter.examination import examine
from convertkit_ascend.linter.kernels import installed

SHOWN = 10
"""Findings on one screen."""

FIELDS = ("node", "op", "rule", "why", "fix", "severity")
"""Of a finding, in the report's order."""


class PreflightError(api_errors.ConvertkitError):
    """ATC would refuse the graph, or make something else of it; ``details`` lists where."""

    exit_code = 4

    def __init__(self, graph: str, soc: str, errors: list[targets.LintFinding]) -> None:
        first = errors[0]
        count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
        where = f"{first.node}: " if first.node else ""
        super().__init__(
            f"preflight of {graph} for {soc}: {count}, first: {where}{first.why} [{first.rule}]",
            hint=first.fix,
        )
        rest = [f"... and {len(errors) - SHOWN} more"] if len(errors) > SHOWN else []
        self.details = "\n".join([*map(_lines, errors[:SHOWN]), *rest])


def check(directory: Path, graph: str, recorded: Recorded) -> None:
    """Examines ``graph`` and leaves :data:`REPORT`.

    The report rests on the table of this package, whatever is installed here: artifacts do not depend on the machine
    that made them. Whether an error stops the build, the kernel lists of a CANN installation decide, if there is one.

    Raises:
        PreflightError: there are errors.
    """
    report = _examine(directory, graph, recorded, own_table=True)
    text = _text(report, graph, recorded.options.soc_version)
    (directory / REPORT).write_text(text, encoding="utf-8")
    if installed(socs.get(recorded.options.soc_version).kernels) is None:
        _refuse_errors(report, graph, recorded)
    else:
        stop(directory, graph, recorded)


def stop(directory: Path, graph: str, recorded: Recorded) -> None:
    """Raises PreflightError where this machine's rules leave an error that is not allowed."""
    _refuse_errors(_examine(directory, graph, recorded), graph, recorded)


def _examine(
    directory: Path, graph: str, recorded: Recorded, *, own_table: bool = False
) -> targets.LintReport:
    """The options say which sizes ATC is told, and what it is to keep in float32."""
    options = recorded.options
    report = examine(
        directory / graph, options.soc_version, _sizes(options), own_table=own_table, keeps=options.keeps
    )
    return report.allowing(recorded.allow)


def _refuse_errors(report: targets.LintReport, graph: str, recorded: Recorded) -> None:
    errors = [item for item in report.findings if item.severity == "error"]
    if errors:
        raise PreflightError(graph, recorded.options.soc_version, errors)


def _sizes(options: AtcOptions) -> dict[str, tuple[int, ...]]:
    """A range leaves a size open, as -1 does."""
    return {
        shape.name: tuple(dim if isinstance(dim, int) else FREE for dim in shape.dims)
        for shape in options.input_shape
    }


def _text(report: targets.LintReport, graph: str, soc: str) -> str:
    content = {
        "file": graph,
        "soc": soc,
        "errors": report.errors,
        "warnings": report.warnings,
        "allowed": sorted(item.rule for item in report.allowed),
        "findings": [{name: getattr(item, name) for name in FIELDS} for item in report.findings],
        "basis": list(report.basis),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _lines(item: targets.LintFinding) -> str:
    place = f"{item.node or 'the file'}{f' ({item.op})' if item.op else ''}"
    return f"{place}: {item.why} [{item.rule}]\n    {item.fix}"
