"""Preflight as a step of the build: a report beside the graph, and a refusal where an error is left."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import convertkit
from convertkit_ascend.atc import AtcOptions
from convertkit_ascend.atc.shapes import FREE
from convertkit_ascend.bundle.names import REPORT
from convertkit_ascend.bundle.record import Recorded
from convertkit_ascend.legality import Violation
from convertkit_ascend.preflight import Report, examine
from convertkit_ascend.preflight.kernels import family_of, installed

SHOWN = 10
"""Violations on one screen."""


class PreflightError(convertkit.ConvertkitError):
    """ATC would refuse the graph, or make something else of it; ``details`` lists where."""

    exit_code = 4

    def __init__(self, graph: str, soc: str, errors: list[Violation]) -> None:
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
    options = recorded.options
    shapes, kept = _sizes(options), options.kept
    report = examine(directory / graph, options.soc_version, shapes, own_table=True, kept=kept)
    text = _text(report, graph, options.soc_version, recorded.allow)
    (directory / REPORT).write_text(text, encoding="utf-8")
    if installed(family_of(options.soc_version)) is None:
        _refuse_errors(report, graph, recorded)
    else:
        stop(directory, graph, recorded)


def stop(directory: Path, graph: str, recorded: Recorded) -> None:
    """Raises PreflightError where this machine's rules leave an error that is not allowed."""
    options = recorded.options
    report = examine(directory / graph, options.soc_version, _sizes(options), kept=options.kept)
    _refuse_errors(report, graph, recorded)


def _refuse_errors(report: Report, graph: str, recorded: Recorded) -> None:
    errors = [item for item in _left(report, recorded.allow) if item.severity == "error"]
    if errors:
        raise PreflightError(graph, recorded.options.soc_version, errors)


def _left(report: Report, allow: tuple[str, ...]) -> list[Violation]:
    return [item for item in report.violations if item.rule not in allow]


def _sizes(options: AtcOptions) -> dict[str, tuple[int, ...]]:
    """A range leaves a size open, as -1 does."""
    return {
        shape.name: tuple(dim if isinstance(dim, int) else FREE for dim in shape.dims)
        for shape in options.input_shape
    }


def _text(report: Report, graph: str, soc: str, allow: tuple[str, ...]) -> str:
    left = _left(report, allow)
    errors = sum(item.severity == "error" for item in left)
    content = {
        "file": graph,
        "soc": soc,
        "errors": errors,
        "warnings": len(left) - errors,
        "allowed": sorted(item.rule for item in report.violations if item.rule in allow),
        "findings": [dataclasses.asdict(item) for item in left],
        "basis": list(report.basis),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _lines(item: Violation) -> str:
    place = f"{item.node or 'the file'}{f' ({item.op})' if item.op else ''}"
    return f"{place}: {item.why} [{item.rule}]\n    {item.fix}"
