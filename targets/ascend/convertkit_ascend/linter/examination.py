"""The examination: the raw file first, then, where that allows it, types, shapes and operators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import onnx

from convertkit.api import errors, targets
from convertkit_ascend import socs
from convertkit_ascend.linter import rules
from convertkit_ascend.linter.kernels import Operators, installed, operators
from convertkit_ascend.linter.read import Source, read
from convertkit_ascend.linter.rule import Rule
from convertkit_ascend.linter.subject import InputShape, Keeps, Subject, lowers_all
from convertkit_ascend.linter.typed import Typed, infer
from convertkit_ascend.linter.view import View

UNTYPED = "types, shapes and operators were not looked at: what is wrong above comes first"


def examine(
    source: Source,
    soc: str = "ascend310p3",
    input_shape: InputShape | None = None,
    *,
    own_table: bool = False,
    keeps: Keeps = lowers_all,
) -> targets.LintReport:
    """Everything in a file (or model) that the compiler would refuse or silently change.

    Args:
        source: the file that ATC is to read, or the model that is to be written as one. It is not changed.
        soc: the chip, as ``ascend310p3``.
        input_shape: what ``--input_shape`` will say.
        own_table: use the table of this package even where a CANN installation is there.
        keeps: what the compiler may not lower, as in :class:`~convertkit_ascend.linter.subject.Subject`.

    Raises:
        GraphError: the file is not there or is no protobuf message of ONNX.
        UnknownNameError: there is no such chip.
        UnavailableError: the lists of a CANN installation cannot be understood.
    """
    begun = begin(source, soc, input_shape, own_table=own_table, keeps=keeps)
    return finish(begun) if begun.goes_on else begun.report


def judge(model: targets.LightModel, soc: str = "ascend310p3") -> tuple[targets.LintFinding, ...]:
    """What of a graph inside the pipeline is outside what the parser and the chip's kernels take; errors first.

    Args:
        model: its vendor operators may be in convertkit's domain (before the step that moves them) or in the default.
        soc: the chip.

    Raises:
        UnknownNameError: there is no table for the chip.
    """
    if soc.lower() not in socs.tabled():
        raise errors.UnknownNameError("SoC", soc, socs.tabled())
    return _errors_first(rules.of_graph(View(model)))


@dataclass(frozen=True)
class Begun:
    """An examination after its first half, in which no native inference takes part.

    Attributes:
        report: what was found; all there is to find unless it ``goes_on``.
    """

    subject: Subject
    table: Operators
    found: tuple[targets.LintFinding, ...]
    goes_on: bool

    @property
    def report(self) -> targets.LintReport:
        basis = (self.table.basis,) if self.goes_on else (self.table.basis, UNTYPED)
        return targets.LintReport(_settled(self.found), basis)


def begin(
    source: Source,
    soc: str,
    input_shape: InputShape | None = None,
    *,
    own_table: bool = False,
    keeps: Keeps = lowers_all,
) -> Begun:
    """The rules about the file; the arguments are those of :func:`examine`."""
    family = socs.get(soc).kernels
    table = operators(family, None if own_table else installed(family))
    subject = replace(read(_own(source), input_shape), keeps=keeps)
    asked = rules.about(Subject)
    first = [rule for rule in asked if rule.stops == "everything"]
    found = [item for rule in first for item in rule.findings(subject)]
    if not found:
        found = [item for rule in asked if rule not in first for item in rule.findings(subject)]
    broken = {item.rule for item in found}
    stopped = any(rule.about.id in broken for rule in asked if rule.stops != "nothing")
    return Begun(subject, table, tuple(found), goes_on=not stopped)


def finish(begun: Begun) -> targets.LintReport:
    """Types, shapes and operators, with what was found before. It consumes ``begun.subject``."""
    graph = infer(begun.subject, begun.table)
    typed = [item for rule in rules.about(Typed) for item in rule.findings(graph)]
    found = [*begun.found, *typed, *rules.of_graph(graph.view)]
    return targets.LintReport(_settled(found), (begun.table.basis,))


def _own(source: Source) -> Source:
    """The examination consumes the protobuf it works on."""
    if isinstance(source, targets.LightModel):
        return targets.LightModel(_copy(source.proto), source.weights)
    return _copy(source) if isinstance(source, onnx.ModelProto) else source


def _copy(proto: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    return copy


def _settled(found: Iterable[targets.LintFinding]) -> tuple[targets.LintFinding, ...]:
    """Sorted, without what another finding says better."""
    found = list(found)
    hides = {rule.about.id: rule.hides for rule in rules.every() if isinstance(rule, Rule)}
    better: dict[str, set[str]] = {}
    for item in found:
        better.setdefault(item.node, set()).update(hides.get(item.rule, ()))
    if any(item.severity == "error" and item.rule != "valid-graph" for item in found):
        better.setdefault("", set()).add("valid-graph")
    kept = (item for item in found if item.rule not in better[item.node])
    return _errors_first(dict.fromkeys(map(_one_line, kept)))


def _errors_first(found: Iterable[targets.LintFinding]) -> tuple[targets.LintFinding, ...]:
    return tuple(sorted(found, key=lambda item: item.severity != "error"))


def _one_line(item: targets.LintFinding) -> targets.LintFinding:
    """Names come out of a file: line breaks and terminal controls in them are written as escapes."""
    return replace(
        item,
        node=_printable(item.node),
        op=_printable(item.op),
        why=_short(_printable(item.why)),
        fix=_short(_printable(item.fix)),
    )


LONGEST = 500
"""Characters of a sentence, in which names of a file may stand; a finding's node has its whole name."""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
