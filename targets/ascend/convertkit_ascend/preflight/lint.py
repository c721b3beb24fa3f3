"""The examination: raw rules first, then, where the file allows it, types, shapes and operators."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import onnx

import convertkit
from convertkit_ascend.legality import RULES as LEGALITY
from convertkit_ascend.legality import Violation
from convertkit_ascend.preflight.catalogue import catalogue
from convertkit_ascend.preflight.kernels import Operators, family_of, installed, operators
from convertkit_ascend.preflight.read import Source, read
from convertkit_ascend.preflight.rule import Rule
from convertkit_ascend.preflight.rules import FIRST, RAW, TYPED
from convertkit_ascend.preflight.subject import InputShape, Subject
from convertkit_ascend.preflight.typed import infer

FOLLOWS = {
    "domain-import": ("op-unknown", "shape-dynamic"),
    "op-unknown": ("subgraph", "shape-dynamic"),
}
"""What follows, at the same node, from what legality's rules say; the other rules state it in ``hides``."""

UNTYPED = "types, shapes and operators were not looked at: what is wrong above comes first"


@dataclass(frozen=True)
class Report:
    """What an examination found.

    Attributes:
        violations: errors first, else in the order of the rules.
        basis: one line each: which kernel lists were used, and what could not be looked at.
    """

    violations: tuple[Violation, ...]
    basis: tuple[str, ...]


def lint(
    source: Source,
    soc: str = "ascend310p3",
    input_shape: InputShape | None = None,
    allow: Collection[str] = frozenset(),
) -> tuple[Violation, ...]:
    """Everything in a file (or model) that the compiler would refuse or silently change; errors first.

    Args:
        source: the file that ATC is to read, or the model that is to be written as one. It is not changed.
        soc: the chip, as ``ascend310p3``.
        input_shape: what ``--input_shape`` will say.
        allow: ids of rules to leave out.

    Raises:
        GraphError: the file is not there or is no protobuf message of ONNX.
        UnknownNameError: there is no such chip, or no such rule to allow.
        UnavailableError: the lists of a CANN installation cannot be understood.
    """
    known = [rule.id for rule in catalogue()]
    for name in allow:
        if name not in known:
            raise convertkit.UnknownNameError("rule", name, known)
    found = examine(source, soc, input_shape).violations
    return tuple(item for item in found if item.rule not in allow)


def examine(
    source: Source,
    soc: str = "ascend310p3",
    input_shape: InputShape | None = None,
    *,
    own_table: bool = False,
    kept: Collection[str] = (),
) -> Report:
    """The same with what it rests on, and nothing left out.

    Args:
        own_table: use the table of this package even where a CANN installation is there.
        kept: what the compiler may not lower, as in :class:`~convertkit_ascend.preflight.subject.Subject`.
    """
    begun = begin(source, soc, input_shape, own_table=own_table, kept=kept)
    return finish(begun) if begun.goes_on else begun.report


@dataclass(frozen=True)
class Begun:
    """An examination after its first half, in which no native inference takes part.

    Attributes:
        report: what was found; all there is to find unless it ``goes_on``.
    """

    subject: Subject
    table: Operators
    found: tuple[Violation, ...]
    goes_on: bool

    @property
    def report(self) -> Report:
        basis = (self.table.basis,) if self.goes_on else (self.table.basis, UNTYPED)
        return Report(_settled(list(self.found)), basis)


def begin(
    source: Source,
    soc: str,
    input_shape: InputShape | None = None,
    *,
    own_table: bool = False,
    kept: Collection[str] = (),
) -> Begun:
    """The raw rules; the arguments are those of :func:`examine`."""
    family = family_of(soc)
    table = operators(family, None if own_table else installed(family))
    subject = replace(read(_own(source), input_shape), kept=kept)
    found = [item for rule in FIRST for item in rule.violations(subject)]
    if found:
        return Begun(subject, table, tuple(found), goes_on=False)
    found = [item for rule in RAW for item in rule.violations(subject)]
    broken = {item.rule for item in found}
    stopped = any(rule.stops and rule.about.id in broken for rule in RAW)
    return Begun(subject, table, tuple(found), goes_on=not stopped)


def finish(begun: Begun) -> Report:
    """Types, shapes and operators, with what was found before. It consumes ``begun.subject``."""
    found = [*begun.found, *_typed(begun.subject, begun.table)]
    return Report(_settled(found), (begun.table.basis,))


def _own(source: Source) -> Source:
    """The examination consumes the protobuf it works on."""
    if isinstance(source, convertkit.LightModel):
        return convertkit.LightModel(_copy(source.proto), source.weights)
    return _copy(source) if isinstance(source, onnx.ModelProto) else source


def _copy(proto: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    return copy


def _typed(subject: Subject, table: Operators) -> list[Violation]:
    graph = infer(subject, table)
    found = [item for rule in TYPED for item in rule.violations(graph)]
    return found + [item for rule in LEGALITY for item in rule(graph.view)]


def _settled(found: list[Violation]) -> tuple[Violation, ...]:
    """Sorted, without what another violation says better."""
    rules: tuple[Rule[Any], ...] = (*RAW, *TYPED)
    hides = {**FOLLOWS, **{rule.about.id: rule.hides for rule in rules}}
    better: dict[str, set[str]] = {}
    for item in found:
        better.setdefault(item.node, set()).update(hides.get(item.rule, ()))
    broken = any(item.severity == "error" and item.rule != "valid-graph" for item in found)
    kept = [
        item
        for item in found
        if item.rule not in better[item.node] and not (broken and item.rule == "valid-graph")
    ]
    shown = dict.fromkeys(_one_line(item) for item in kept)
    return tuple(sorted(shown, key=lambda item: item.severity != "error"))


def _one_line(item: Violation) -> Violation:
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
