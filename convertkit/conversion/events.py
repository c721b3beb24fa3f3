"""What a running build tells whoever shows it; the build itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from convertkit.passes.history import PassRecord


@dataclass(frozen=True)
class StepStarted:
    """A step begins: ``stock``, ``pass`` or ``compile``; ``index`` counts from 1 to ``total``."""

    kind: str
    name: str
    index: int
    total: int


@dataclass(frozen=True)
class StepFinished:
    """A step ended; ``cached`` if nothing had to be done, ``record`` for passes."""

    kind: str
    name: str
    index: int
    total: int
    cached: bool
    record: PassRecord | None = None


@dataclass(frozen=True)
class Progress:
    """Something long inside a step moves on; ``total`` is 0 where it is not known."""

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class Note:
    """One line a user should read."""

    text: str


@dataclass(frozen=True)
class Said(Note):
    """One that stands for itself: nothing is put in front of it."""


@dataclass(frozen=True)
class ForeignCode:
    """A model package is opened; where it is somebody else's, its code runs with the user's rights."""

    root: Path


Event: TypeAlias = StepStarted | StepFinished | Progress | Note | ForeignCode
Report: TypeAlias = Callable[[Event], None]


def fresh_only(report: Report) -> Report:
    """Leaves out steps that were only looked up: for one that asks for several graphs of the same build."""

    def forward(event: Event) -> None:
        if not (isinstance(event, StepFinished) and event.cached):
            report(event)

    return forward


def said(report: Report) -> Callable[[str], None]:
    """For what tells lines that stand for themselves."""
    return lambda line: report(Said(line))


def noted(report: Report) -> Callable[[str], None]:
    """For what tells lines that are notes."""
    return lambda line: report(Note(line))


def silent(event: Event) -> None:
    """A report that shows nothing."""
