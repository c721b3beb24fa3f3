"""What a preflight rule is: an id, what it is about, where it was read, and the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from convertkit_ascend.legality.violation import Severity, Violation

T = TypeVar("T")
"""What a rule looks at: the raw :class:`~.subject.Subject` or the :class:`~.typed.Typed` graph."""


@dataclass(frozen=True)
class Spot:
    """One place that breaks a rule.

    Args:
        where: name of the node, or of the tensor where no node is to blame; empty for the file as a whole.
        why: one line.
        op: operator type of the node.
        fix: instead of the rule's own.
        severity: instead of the rule's own.
    """

    where: str
    why: str
    op: str = ""
    fix: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Description:
    """What is to be known of a rule before it is broken.

    Args:
        id: kebab-case; what ``--allow`` takes.
        severity: ``error``: refused, or silently something else. ``warning``: it converts, but slower or unconfirmed.
        summary: what must hold, one line.
        fix: what to do, one line.
        source: the statement of docs/ascend-facts.md, ``[run]`` where the real parser was seen doing it, ``[read]``
            where it was only read in its source, ``[derived]`` where it is our own conclusion.
    """

    id: str
    severity: Severity
    summary: str
    fix: str
    source: str


@dataclass(frozen=True)
class Rule(Generic[T]):
    """A rule about the file as it is, before anything is inferred, or about a graph whose types and shapes are.

    Args:
        hides: rules that would say less about the same place.
        stops: types and shapes mean nothing once it is broken, so that rules about them do not run.
    """

    about: Description
    check: Callable[[T], Iterator[Spot]]
    hides: tuple[str, ...] = ()
    stops: bool = False

    def violations(self, subject: T) -> Iterator[Violation]:
        return (to_violation(self.about, spot) for spot in self.check(subject))


def rule(
    id: str,
    *,
    fix: str,
    source: str,
    severity: Severity = "error",
    hides: tuple[str, ...] = (),
    stops: bool = False,
) -> Callable[[Callable[[T], Iterator[Spot]]], Rule[T]]:
    """Makes a function a :class:`Rule`; the first line of its docstring says what must hold."""

    def make(check: Callable[[T], Iterator[Spot]]) -> Rule[T]:
        summary = (check.__doc__ or "").strip().splitlines()[0]
        return Rule(Description(id, severity, summary, fix, source), check, hides, stops)

    return make


def to_violation(about: Description, spot: Spot) -> Violation:
    return Violation(
        spot.where, spot.op, about.id, spot.why, spot.fix or about.fix, spot.severity or about.severity
    )
