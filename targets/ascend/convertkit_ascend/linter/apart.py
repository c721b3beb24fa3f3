"""``convertkit lint`` on a file that somebody gave us: the examination runs in a child.

onnx's shape inference is native code; a damaged file may crash it, keep it busy for hours, or have it fill the memory.
What can be said without it is said all the same. Files that convertkit has just written need no child:
:mod:`.examination` is all they need.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from convertkit.api import errors, system, targets

CHILD = (sys.executable, "-m", "convertkit_ascend.linter._child")
UNTYPED = "types, shapes and operators were not looked at"


LIMITS = system.Limits()
"""Of either half of the examination."""

PATIENCE = 4.0
"""How many times its seconds the child gets by the clock: other jobs may run beside it."""


def lint_apart(path: Path, soc: str, input_shape: Mapping[str, tuple[int, ...]] | None) -> targets.LintReport:
    """What an examination of the file finds; the arguments are those of :func:`~.examination.examine`.

    A graph that shape inference does not survive is a finding.

    Raises:
        GraphError: the file is not there, is no protobuf message of ONNX, or has a size that fills the memory.
        UnavailableError: the lists of a CANN installation cannot be understood.
        ProcessError: not even the raw file was survived.
    """
    try:
        child = system.Dialogue(CHILD, name="its examination")
    except targets.UnavailableError:  # on Windows: nobody survives a death of shape inference there
        from convertkit_ascend.linter.examination import examine

        return examine(path, soc, input_shape)
    try:
        raw = child.ask(
            "raw",
            timeout=PATIENCE * LIMITS.of(_size(path)).seconds,
            path=str(path.absolute()),
            soc=soc,
            input_shape=None if input_shape is None else dict(input_shape),
            limits=asdict(LIMITS),
        )
        report = _report(raw)
        if not raw["goes_on"]:
            return report
        try:
            return _report(child.ask("typed", timeout=PATIENCE * raw["seconds"]))
        except system.ChildError as error:
            return _without_types(report, error)
    except (targets.GraphError, errors.ProcessError) as error:
        raise _about(path, error) from error
    finally:
        child.kill()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # the child says what is wrong with it


def _report(answer: Mapping[str, Any]) -> targets.LintReport:
    findings = tuple(targets.LintFinding(**entry) for entry in answer["findings"])
    return targets.LintReport(findings, tuple(answer["basis"]))


def _without_types(report: targets.LintReport, error: system.ChildError) -> targets.LintReport:
    """The findings on the raw file; where there is no error among them, the death is one."""
    why = f"onnx's shape inference {error.reason}" + (f": {error.last_line}" if error.last_line else "")
    lost = targets.LintFinding("", "", "valid-graph", "error", why, "repair the graph")
    findings = report.findings if report.errors else (lost, *report.findings)
    return replace(report, findings=findings, basis=(*report.basis, f"{UNTYPED}: {why}"))


def _about(path: Path, error: errors.ConvertkitError) -> errors.ConvertkitError:
    """The error with the file's name as the user gave it. The child knows its absolute path, or says none."""
    message = error.message.removeprefix(f"{path.absolute()}: ")
    kind = targets.GraphError if isinstance(error, targets.GraphError) else errors.ProcessError
    return kind(f"{path}: {message}", hint=error.hint)
