"""Why a command has no result, as a record."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import TypedDict


@dataclass(frozen=True)
class Failure:
    """Why a command ended without what was asked of it.

    Attributes:
        kind: the error's class in :mod:`convertkit.errors` in small letters (``usage``, ``unknown-name``, ...), else
            ``other``, ``system``, ``memory``, ``interrupted``, ``killed`` or ``defect``.
        message: what happened, the culprit first.
        hint: what to do about it.
        exit_code: 1 below expectation, 2 a mistake, 3 unavailable, 4 a step failed, 5 undecided, 70 a defect,
            130 interrupted.
        details: what the error has to show beside the line, of several lines; empty for most.
    """

    kind: str
    message: str
    hint: str | None
    exit_code: int
    details: str = ""

    @property
    def line(self) -> str:
        """The message with its hint, in one line."""
        return " ".join((self.message if self.hint is None else f"{self.message} ({self.hint})").split())


class Errors(TypedDict):
    """What any command prints that fails before it has a result."""

    error: Failure


class Failed(TypedDict):
    """One of several files, which failed."""

    file: str
    error: Failure
