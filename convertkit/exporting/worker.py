"""The parent's side of the export worker: one job in, JSON lines out, every end accounted for.

    <python> <package>/export/worker.py JOB.json

Standard output carries one JSON object per line and standard error is a log:

    {"event": "progress", "what": "trace", "done": 2, "total": 4}
    {"event": "result", ...}
    {"event": "done", ...}                           the last line of a success, exit code 0
    {"event": "error", "message": ..., "hint": ...}  the last line of a refusal, exit code 1

Lines that are none of these go to the log and are otherwise ignored.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.children.process import ChildError, run_child
from convertkit.errors import ConvertkitError, ProcessError, StoreError
from convertkit.exporting.interpreter import child_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JOB = "job.json"
LOG = "worker.log"

Event = dict[str, Any]


def run_worker(
    python: Path,
    script: Path,
    job: Mapping[str, Any],
    *,
    workdir: Path,
    on_progress: Callable[[str, int, int], None] | None = None,
    on_result: Callable[[Event], None] | None = None,
    timeout: float | None = None,
) -> Event:
    """Run one job and return its ``done`` event.

    Args:
        python: the interpreter of the export environment.
        script: the model package's worker.
        job: what to do; it must have a JSON form, with absolute paths.
        workdir: receives ``job.json`` and ``worker.log`` and is where the worker runs: what is needed to see
            a failure again stays there. It is made when missing.
        on_progress: called with what is being done, the number done and the total.
        on_result: called with each ``result`` event.
        timeout: seconds until the worker is killed; None for no limit.

    Raises:
        ConvertkitError: the worker refused; the message and the hint are its own.
        ProcessError: the worker died, ran past ``timeout`` or ended without saying that it is done; the hint is
            the command that does it again.
    """
    workdir = Path(workdir).absolute()
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / JOB).write_text(json.dumps(job, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    log = workdir / LOG
    log.unlink(missing_ok=True)
    listener = _Listener(on_progress, on_result)
    command = [python, Path(script).absolute(), workdir / JOB]
    name = f"worker {Path(script).parent.name}/{Path(script).name}"
    again = f"reproduce with: {shlex.join(map(str, command))}; log: {log}"
    try:
        run_child(
            command,
            env=child_variables(Path(python)),
            cwd=workdir,
            timeout=timeout,
            log=log,
            on_event=listener.take,
            name=name,
        )
    except ChildError as error:
        listener.raise_refusal(error)
        raise ProcessError(error.message, hint=again) from error
    listener.raise_refusal(None)
    if listener.done is None:
        raise ProcessError(f"{name} ended without a result", hint=again)
    return listener.done


@dataclass
class _Listener:
    """Sorts the worker's events. What has the wrong shape counts as not said."""

    on_progress: Callable[[str, int, int], None] | None
    on_result: Callable[[Event], None] | None
    done: Event | None = None
    refusal: Event = field(default_factory=dict)

    def take(self, event: Event) -> None:
        kind = event["event"]
        if kind == "progress":
            self._progress(event)
        elif kind == "result" and self.on_result is not None:
            self.on_result(event)
        elif kind == "done":
            self.done = event
        elif kind == "error":
            self.refusal = event

    def _progress(self, event: Event) -> None:
        what, done, total = (event.get(key) for key in ("what", "done", "total"))
        if self.on_progress is not None and isinstance(done, int) and isinstance(total, int):
            self.on_progress(str(what), done, total)

    def raise_refusal(self, cause: ChildError | None) -> None:
        """Raise what the worker said in its ``error`` event, if it said so."""
        if self.refusal and (cause is None or (cause.returncode or 0) > 0):
            message, hint = self.refusal.get("message"), self.refusal.get("hint")
            kind = StoreError if self.refusal.get("place") is True else ConvertkitError
            raise kind(_one_line(message) or "the worker refused", hint=_one_line(hint)) from cause


def _one_line(text: Any) -> str | None:
    return " ".join(str(text).split()) if text else None
