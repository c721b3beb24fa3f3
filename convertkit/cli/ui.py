"""What people see: progress on standard error, results on standard output, JSON where it was asked for."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from convertkit.api.commands.passes import record_line
from convertkit.cli.output import json_text as json_text
from convertkit.cli.output import note as note
from convertkit.cli.output import print_json as print_json
from convertkit.cli.volume import is_moving, is_quiet, marked, width
from convertkit.conversion.events import Event, ForeignCode, Note, Progress, Said, StepFinished, StepStarted
from convertkit.errors import AccuracyError, UndecidedError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress as Bar

    from convertkit.api.commands.pages import Block
    from convertkit.exporting.build import Progress as EnvironmentProgress
    from convertkit.verification.judge import Verdict

Advance: TypeAlias = Callable[[int], None]
"""Told how many units are done so far."""


def refuse_missed(subject: str, verdict: Verdict) -> None:
    """Raises AccuracyError where the accuracy is below the spec, UndecidedError where more photos decide; after it was
    shown."""
    if not verdict.ok:
        missed = [demand for demand in verdict.demands if verdict.judged and not demand.ok]
        shut = [gate for gate in verdict.gates if gate.outcome == "fail"]
        first = next(iter([*missed, *shut]), verdict.reason)
        raise AccuracyError(f"{subject}: {first}", hint="the accuracy spec is not met")
    if verdict.undecided:
        gate = next(gate for gate in verdict.gates if gate.outcome == "undecided")
        raise UndecidedError(f"{subject}: {gate}", hint="measure more photos")


def show(blocks: Iterable[Block]) -> None:
    """A record's page on standard output, its marks in colour where there is any."""
    from convertkit.api.commands.pages import text_of

    if text := text_of(blocks, marked):
        print(text)


def tell_of_code(model: Path) -> None:
    """Says once of a package that is not convertkit's own that its code runs."""
    from convertkit.models.known import first_time

    if not is_quiet() and first_time(model):
        note(f"{model}: a model package is code, and it runs with your rights (said once for each)")


class BuildView:
    """Shows a build's events: a line per finished step, and on a terminal a moving line for the running one."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = is_moving() and not quiet
        self._started = time.monotonic()
        self._shown = ""
        self._phase = ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, ForeignCode):
            tell_of_code(event.root)
        elif isinstance(event, Note):
            self._line(event.text if isinstance(event, Said) else f"note: {event.text}")
        elif isinstance(event, StepStarted):
            self._started = time.monotonic()
            self._moving(f"[{event.index}/{event.total}] {event.name} ...")
        elif isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, StepFinished):
            self._line(f"[{event.index}/{event.total}] {event.name:<28} {self._outcome(event)}")

    def _progress(self, event: Progress) -> None:
        """On a terminal every move; in a log only what begins, so that hours of compiling are not silent."""
        elapsed = f"{time.monotonic() - self._started:.0f} s"
        share = f" {event.done}/{event.total}" if event.total else ""
        self._moving(f"    {event.what}{share}, {elapsed}")
        if not self._terminal and event.what != self._phase:
            self._line(f"    {event.what}, after {elapsed}")
        self._phase = event.what

    def _outcome(self, event: StepFinished) -> str:
        if event.record is not None:
            return record_line(event.record, cached=event.cached)
        return "cached" if event.cached else f"{time.monotonic() - self._started:.1f} s"

    def _moving(self, text: str) -> None:
        if self._terminal and text != self._shown:
            self._shown = text
            print(f"\r\x1b[K{text[: width()]}", end="", file=sys.stderr, flush=True)

    def _line(self, text: str) -> None:
        if not self._quiet:
            note(text)


class StepView:
    """Shows the building of an export environment: a line per step, the last line of output moving under it."""

    def __init__(self) -> None:
        self._terminal = is_moving()
        self._step = 0

    def __call__(self, progress: EnvironmentProgress) -> None:
        if progress.step != self._step:
            self._step = progress.step
            note(f"[{progress.step}/{progress.steps}] {progress.what}")
        elif self._terminal:
            text = f"    {progress.seconds:.0f} s  {progress.line}"[: width()]
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress_bar(title: str, total: int, *, unit: str = "images", quiet: bool = False) -> Iterator[Advance]:
    """Yields ``advance(count)``: a bar with rate and time left on a terminal, a line every tenth elsewhere."""
    if quiet or is_quiet() or total <= 0:
        yield lambda count: None
    elif is_moving():
        with _rich_bar(unit) as bar:
            task = bar.add_task(title, total=total)
            yield lambda count: bar.update(task, completed=count)
    else:
        yield _PlainBar(title, total, unit).update


class _PlainBar:
    """For logs: at most ten lines, each with count, rate and time left."""

    def __init__(self, title: str, total: int, unit: str) -> None:
        self._title, self._total, self._unit = title, total, unit
        self._start, self._tenth = time.monotonic(), 0

    def update(self, count: int) -> None:
        tenth = 10 * count // self._total
        if tenth <= self._tenth:
            return
        self._tenth = tenth
        rate = count / max(time.monotonic() - self._start, 1e-9)
        left = (self._total - count) / rate
        note(f"{self._title}: {count}/{self._total} {self._unit}, {rate:.1f}/s, {left:.0f} s left")


def _rich_bar(unit: str) -> Bar:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        """Finished units a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f} {unit}/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    return Bar(*columns, console=Console(stderr=True), transient=True)
