"""What a running command tells, in lines: those that stay, and one that moves under them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from convertkit.api.commands.passes import record_line
from convertkit.conversion.events import Event, ForeignCode, Note, Progress, Said, StepFinished, StepStarted

if TYPE_CHECKING:
    from pathlib import Path

    from convertkit.exporting.build import Progress as EnvironmentProgress

Line: TypeAlias = Callable[[str], object]


class Telling:
    """Tells a build's events: a line per finished step, and a moving line for the running one.

    Args:
        line: shows a line that stays.
        moving: shows one in place of the last such; without it only what begins is told, so that hours of compiling
            are not silent.
        quiet: no line is shown by anybody.
    """

    def __init__(self, line: Line, moving: Line | None = None, *, quiet: bool = False) -> None:
        self._line, self._show, self._quiet = line, moving, quiet
        self._started = time.monotonic()
        self._phase = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, ForeignCode):
            self.foreign(event.root)
        elif isinstance(event, Note):
            self._line(event.text if isinstance(event, Said) else f"note: {event.text}")
        elif isinstance(event, StepStarted):
            self._started = time.monotonic()
            self._moving(f"[{event.index}/{event.total}] {event.name} ...")
        elif isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, StepFinished):
            self._line(f"[{event.index}/{event.total}] {event.name:<28} {self._outcome(event)}")

    def foreign(self, root: Path) -> None:
        """Says once of a package that is not convertkit's own that its code runs."""
        from convertkit.models.known import first_time

        if not self._quiet and first_time(root):
            self._line(f"{root}: a model package is code, and it runs with your rights (said once for each)")

    def _progress(self, event: Progress) -> None:
        elapsed = f"{time.monotonic() - self._started:.0f} s"
        share = f" {event.done}/{event.total}" if event.total else ""
        self._moving(f"    {event.what}{share}, {elapsed}")
        if self._show is None and event.what != self._phase:
            self._line(f"    {event.what}, after {elapsed}")
        self._phase = event.what

    def _outcome(self, event: StepFinished) -> str:
        if event.record is not None:
            return record_line(event.record, cached=event.cached)
        return "cached" if event.cached else f"{time.monotonic() - self._started:.1f} s"

    def _moving(self, text: str) -> None:
        if self._show is not None:
            self._show(text)


class EnvironmentTelling:
    """Tells the building of an export environment: a line per step, the last line of output moving under it."""

    def __init__(self, line: Line, moving: Line | None = None) -> None:
        self._line, self._moving = line, moving
        self._step = 0

    def __call__(self, progress: EnvironmentProgress) -> None:
        if progress.step != self._step:
            self._step = progress.step
            self._line(f"[{progress.step}/{progress.steps}] {progress.what}")
        elif self._moving is not None:
            self._moving(f"    {progress.seconds:.0f} s  {progress.line}")


class PassTelling:
    """Tells passes over a graph alone: a line for each, and notes as they are."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepFinished) and event.record is not None:
            self._line(f"{event.record.name:<28} {record_line(event.record)}")
        elif isinstance(event, Note):
            self._line(event.text)
