"""What a preflight rule is: an id, what it is about, where it was read, and the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convertkit_ascend.legality.violation import Severity, Violation

if TYPE_CHECKING:
    from convertkit_ascend.preflight.subject import Subject
    from convertkit_ascend.preflight.typed import Typed


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
        source: section of frontend.md or facts.md, ``[run]`` where the real parser was seen doing it, ``[read]``
            where it was only read in its source, ``[derived]`` where it is our own conclusion.
    """

    id: str
    severity: Severity
    summary: str
    fix: str
    source: str


@dataclass(frozen=True)
class RawRule:
    """A rule about the file as it is, before anything is inferred.

    Args:
        hides: rules that would say less about the same place.
        stops: types and shapes mean nothing once it is broken, so that rules about them do not run.
    """

    about: Description
    check: Callable[[Subject], Iterator[Spot]]
    hides: tuple[str, ...] = ()
    stops: bool = False

    def violations(self, subject: Subject) -> Iterator[Violation]:
        return (to_violation(self.about, spot) for spot in self.check(subject))


@dataclass(frozen=True)
class TypedRule:
    """A rule about a graph whose types and shapes are inferred; arguments as in :class:`RawRule`."""

    about: Description
    check: Callable[[Typed], Iterator[Spot]]
    hides: tuple[str, ...] = ()

    def violations(self, typed: Typed) -> Iterator[Violation]:
        return (to_violation(self.about, spot) for spot in self.check(typed))


def raw(
    id: str,
    *,
    fix: str,
    source: str,
    severity: Severity = "error",
    hides: tuple[str, ...] = (),
    stops: bool = False,
) -> Callable[[Callable[[Subject], Iterator[Spot]]], RawRule]:
    """Makes a function a :class:`RawRule`; the first line of its docstring says what must hold."""

    def make(check: Callable[[Subject], Iterator[Spot]]) -> RawRule:
        return RawRule(_describe(id, severity, check, fix, source), check, hides, stops)

    return make


def typed(
    id: str, *, fix: str, source: str, severity: Severity = "error", hides: tuple[str, ...] = ()
) -> Callable[[Callable[[Typed], Iterator[Spot]]], TypedRule]:
    """Makes a function a :class:`TypedRule`; the first line of its docstring says what must hold."""

    def make(check: Callable[[Typed], Iterator[Spot]]) -> TypedRule:
        return TypedRule(_describe(id, severity, check, fix, source), check, hides)

    return make


def _describe(
    id: str, severity: Severity, check: Callable[..., object], fix: str, source: str
) -> Description:
    return Description(id, severity, (check.__doc__ or "").strip().splitlines()[0], fix, source)


def to_violation(about: Description, spot: Spot) -> Violation:
    return Violation(
        spot.where, spot.op, about.id, spot.why, spot.fix or about.fix, spot.severity or about.severity
    )
