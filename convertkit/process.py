"""Child processes that cannot hang, cannot be orphaned, and whose failure is one readable line.

Every command runs below :mod:`convertkit.supervisor`: when we finish, fail, are interrupted or are killed
outright, the command and everything it started dies.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit import supervisor
from convertkit.errors import ProcessError
from convertkit.lines import LineReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

SHUTDOWN_SECONDS = 20.0
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Completed:
    """A command that exited with 0: how long it took, and the last 10,000 lines of each stream."""

    argv: tuple[str, ...]
    seconds: float
    stdout: str
    stderr: str


class ChildError(ProcessError):
    """A command that failed; ``returncode`` is negative for a signal, None for a time-out or a failed start."""

    def __init__(
        self, name: str, reason: str, *, last_line: str = "", log: Path | None = None, returncode: int | None
    ) -> None:
        super().__init__(
            f"{name} {reason}" + (f": {last_line}" if last_line else ""),
            hint=None if log is None else f"log: {log}",
        )
        self.name, self.reason, self.last_line = name, reason, last_line
        self.log, self.returncode = log, returncode


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
            killed by a signal or ran past ``timeout``.
    """
    command = [str(part) for part in argv]
    name = name or Path(command[0]).name
    started = time.monotonic()
    with LineReader(log, on_line, on_event) as reader, _Child(command, env, cwd) as child:
        tick = None if on_tick is None else lambda: on_tick(time.monotonic() - started)
        in_time = child.feed(reader, None if timeout is None else started + timeout, tick)
    if not in_time:
        failure: tuple[str, int | None] | None = (f"was killed after its time limit of {timeout:g} s", None)
    else:
        failure = _failure(child.report)
    if failure is not None:
        reason, returncode = failure
        raise ChildError(name, reason, last_line=reader.last_line(), log=log, returncode=returncode)
    return Completed(tuple(command), time.monotonic() - started, reader.text("stdout"), reader.text("stderr"))


class _Child:
    """A supervised command. Leaving the context closes the socket, which makes the supervisor kill the tree."""

    def __init__(self, command: list[str], env: Mapping[str, str] | None, cwd: str | Path | None) -> None:
        self.report = ""
        self._gone = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", supervisor.__file__, str(theirs.fileno()), *command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=None if env is None else dict(env),
                    cwd=cwd,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                self._socket.close()
                reason = f"cannot be started in {cwd or Path.cwd()}: {error.strerror}"
                raise ChildError(Path(command[0]).name, reason, returncode=None) from error

    def __enter__(self) -> _Child:
        return self

    def feed(
        self, reader: LineReader, deadline: float | None, tick: Callable[[], None] | None = None
    ) -> bool:
        """Hand output to ``reader`` until the supervisor is gone; False when ``deadline`` comes first."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ, "stdout")
            selector.register(self._process.stderr, selectors.EVENT_READ, "stderr")
            selector.register(self._socket, selectors.EVENT_READ, "report")
            next_tick = time.monotonic() + TICK_SECONDS
            while selector.get_map():
                if tick is not None and time.monotonic() >= next_tick:
                    next_tick = time.monotonic() + TICK_SECONDS
                    tick()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                # With the supervisor gone nobody writes any more, unless it was killed itself: take what
                # is there and wait for nothing.
                wait = left if tick is None else min(TICK_SECONDS, math.inf if left is None else left)
                ready = selector.select(0 if self._gone else wait)
                if self._gone and not ready:
                    break
                for key, _ in ready:
                    if not self._take(key, reader):
                        selector.unregister(key.fileobj)
        return True

    def _take(self, key: selectors.SelectorKey, reader: LineReader) -> bool:
        """Pass on what one pipe has; False at its end."""
        data = os.read(key.fd, 1 << 16)
        if key.data != "report":
            reader.take(key.data, data)
        else:
            self.report += data.decode()
            self._gone = not data
        return bool(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The end of our half tells the supervisor to kill; the end of its half tells us that it is done.
        self._socket.shutdown(socket.SHUT_WR)
        self._socket.settimeout(SHUTDOWN_SECONDS)
        with self._socket, contextlib.suppress(TimeoutError, ConnectionError):
            while self._socket.recv(64):
                pass
        # Not reaped yet, so the group's number is still ours: where the supervisor itself was killed or
        # hangs, this ends whoever is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _failure(report: str) -> tuple[str, int | None] | None:
    """Read the supervisor's line: None for success, else the reason and the return code."""
    word, _, number = report.partition("\n")[0].partition(" ")
    if word == "error":
        return f"cannot be started: {os.strerror(int(number))}", None
    if word == "signal":
        return f"was killed by {_signal_name(int(number))}", -int(number)
    if word == "exit":
        return (f"failed with exit code {number}", int(number)) if int(number) else None
    return "was killed together with its supervisor", -int(signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} (out of memory?)" if name == "SIGKILL" else name
