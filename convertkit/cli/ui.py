"""What people see: progress on standard error, results on standard output, JSON where it was asked for."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from convertkit.api.commands.telling import Telling
from convertkit.cli.output import json_text as json_text
from convertkit.cli.output import note as note
from convertkit.cli.output import print_json as print_json
from convertkit.cli.volume import is_moving, is_quiet, marked, width

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from convertkit.api.commands.pages import Block, Shown

Advance: TypeAlias = Callable[[int], None]
"""Told how many units are done so far."""


def show(blocks: Iterable[Block]) -> None:
    """A record's page on standard output, its marks in colour where there is any."""
    from convertkit.api.commands.pages import text_of

    if text := text_of(blocks, marked):
        print(text)


def answer(found: Shown, *, as_json: bool) -> None:
    """The record of a command: its page, or as JSON."""
    if as_json:
        print_json(found)
    else:
        show(found.page())


class BuildView(Telling):
    """Shows a build's events on standard error."""

    def __init__(self) -> None:
        super().__init__(note, moving(), quiet=is_quiet())


def moving() -> Callable[[str], None] | None:
    """Shows a line over the last such, on a terminal; None elsewhere."""
    shown = ""

    def show(text: str) -> None:
        nonlocal shown
        if text != shown:
            shown = text
            print(f"\r\x1b[K{text[: width()]}", end="", file=sys.stderr, flush=True)

    return show if is_moving() else None


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
