"""Child processes that cannot hang, cannot be orphaned, and whose failure is one readable line."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.children.child import ChildError, failure, overran
from convertkit.children.lines import LineReader
from convertkit.children.unsupervised import start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["ChildError", "Completed", "run_child", "usable_processors"]


@dataclass(frozen=True)
class Completed:
    """A command that exited with 0: how long it took, and the last 10,000 lines (16 M letters) of each stream."""

    argv: tuple[str, ...]
    seconds: float
    stdout: str
    stderr: str


def usable_processors() -> int:
    """How many processors this process may use; all of the machine's where the system does not tell (macOS)."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def run_child(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float | None = None,
    log: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    on_tick: Callable[[float], None] | None = None,
    name: str | None = None,
) -> Completed:
    """Run a command to its end; whatever ends this call also ends the command and all it started.

    Args:
        argv: the command, looked up on PATH; its standard input is empty.
        env: all of its environment variables; ours when None.
        cwd: its working directory; ours when None.
        timeout: seconds until it is killed; None for no limit.
        log: file that receives both streams, appended as they come.
        on_line: called with each line of both streams that is not an event.
        on_event: called with each line of standard output that is a JSON object with an ``event`` key.
        on_tick: called about once a second with the seconds since the start, whether or not anything was printed.
        name: what errors call it; the command's own name when None.

    Raises:
        ProcessError: (a :class:`ChildError`) it could not be started, exited with another code than 0, was
            killed by a signal, ran past ``timeout`` or printed more than a GiB.
    """
    command = [str(part) for part in argv]
    name = name or Path(command[0]).name
    started = time.monotonic()
    with LineReader(log, on_line, on_event) as reader, start(command, env, cwd) as child:
        tick = None if on_tick is None else lambda: on_tick(time.monotonic() - started)
        over = child.feed(reader.take, None if timeout is None else started + timeout, tick)
    ended = (overran(over, timeout), None) if over else failure(child.report)
    if ended is not None:
        reason, returncode = ended
        last = reader.last_line() if over != "output" else ""  # of what has no end, no line tells anything
        raise ChildError(name, reason, last_line=last, log=log, returncode=returncode, over=over)
    return Completed(tuple(command), time.monotonic() - started, reader.text("stdout"), reader.text("stderr"))
