"""One supervised child process: its streams, its report, its end.

Every command runs below :mod:`convertkit.children.supervisor`: when we finish, fail, are interrupted or are killed
outright, the command and everything it started dies.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from convertkit.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

LOG = logging.getLogger(__name__)

SUPERVISES = sys.platform == "linux"
"""Whether there are a supervisor for every child, a guard of our own process and limits of memory."""

INHERITS = sys.platform != "win32"
"""Whether a child can be given open files of ours."""

SUPERVISOR = Path(__file__).with_name("supervisor.py")
KILLED = 9
"""SIGKILL, for which Windows has no name."""

SHUTDOWN_SECONDS = 20.0
TICK_SECONDS = 1.0


Over = Literal["", "time", "output"]
"""The limit for which a child was killed; empty for none."""


class FloodError(Exception):
    """Whoever takes a child's output has had enough of it."""


class ChildError(ProcessError):
    """A command that failed.

    Attributes:
        returncode: negative for a signal, None for a time-out or a failed start.
        over: the limit for which it was killed.
    """

    def __init__(
        self,
        name: str,
        reason: str,
        *,
        last_line: str = "",
        log: Path | None = None,
        returncode: int | None,
        over: Over = "",
    ) -> None:
        super().__init__(
            f"{name} {reason}" + (f": {last_line}" if last_line else ""),
            hint=None if log is None else f"log: {log}",
        )
        self.name, self.reason, self.last_line = name, reason, last_line
        self.log, self.returncode, self.over = log, returncode, over


def spawn(
    command: list[str], env: Mapping[str, str] | None, cwd: str | Path | None, **more: Any
) -> subprocess.Popen[bytes]:
    """A process with nothing to read, whose two streams are ours."""
    LOG.info("runs %s", shlex.join(command))
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if env is None else dict(env),
        cwd=cwd,
        **more,
    )


class Child:
    """A supervised command. Leaving the context closes the socket, which makes the supervisor kill the tree.

    Args:
        command, env, cwd: as :func:`convertkit.children.process.run_child` has them.
        descriptors: files of ours that the command finds open under the same numbers.

    Attributes:
        report: what the supervisor said of the command's end; :func:`failure` reads it.

    Raises:
        ChildError: it cannot be started.
    """

    def __init__(
        self,
        command: list[str],
        env: Mapping[str, str] | None,
        cwd: str | Path | None,
        descriptors: Iterable[int] = (),
    ) -> None:
        self.report = ""
        self._gone = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = spawn(
                    [sys.executable, "-I", "-S", str(SUPERVISOR), str(theirs.fileno()), *command],
                    env,
                    cwd,
                    pass_fds=[theirs.fileno(), *descriptors],
                    start_new_session=True,
                )
            except OSError as error:
                self._socket.close()
                reason = f"cannot be started in {cwd or Path.cwd()}: {error.strerror}"
                raise ChildError(Path(command[0]).name, reason, returncode=None) from error

    def __enter__(self) -> Child:
        return self

    def feed(
        self,
        take: Callable[[str, bytes], None],
        deadline: float | None,
        tick: Callable[[], None] | None = None,
        *,
        channel: socket.socket | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> Over:
        """Hand on output until the supervisor is gone, there is enough, or the child runs over a limit.

        Args:
            take: called with ``stdout``, ``stderr`` or ``channel`` and what came there; nothing is its end. It may
                raise :class:`FloodError`.
            deadline: by :func:`time.monotonic`; None for no limit.
            tick: called about once a second.
            channel: a socket to listen to besides.
        """
        with selectors.DefaultSelector() as selector:
            self._register(selector, channel)
            next_tick = time.monotonic() + TICK_SECONDS
            while selector.get_map() and not enough():
                if tick is not None and time.monotonic() >= next_tick:
                    next_tick = time.monotonic() + TICK_SECONDS
                    tick()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return "time"
                # With the supervisor gone nobody writes any more, unless it was killed itself: take what
                # is there and wait for nothing.
                wait = left if tick is None else min(TICK_SECONDS, math.inf if left is None else left)
                ready = selector.select(0 if self._gone else wait)
                if self._gone and not ready:
                    break
                try:
                    for key, _ in ready:
                        if not self._take(key, take):
                            selector.unregister(key.fileobj)
                except FloodError:
                    return "output"
        return ""

    def _register(self, selector: selectors.BaseSelector, channel: socket.socket | None) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        selector.register(self._process.stdout, selectors.EVENT_READ, "stdout")
        selector.register(self._process.stderr, selectors.EVENT_READ, "stderr")
        selector.register(self._socket, selectors.EVENT_READ, "report")
        if channel is not None:
            selector.register(channel, selectors.EVENT_READ, "channel")

    def _take(self, key: selectors.SelectorKey, take: Callable[[str, bytes], None]) -> bool:
        """Pass on what one pipe has; False at its end."""
        try:
            data = os.read(key.fd, 1 << 16)
        except ConnectionResetError:  # it died before it had read what it was sent
            data = b""
        if key.data != "report":
            take(key.data, data)
        else:
            self.report += data.decode()
            self._gone = not data
        return bool(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def stop(self) -> None:
        """Begin to end the command and all it started, from any thread: who feeds on it sees its end."""
        self._process.terminate()

    def kill(self) -> None:
        """End the command and all it started; returns when they are gone."""
        # The end of our half tells the supervisor to kill; the end of its half tells us that it is done.
        self._socket.shutdown(socket.SHUT_WR)
        self._socket.settimeout(SHUTDOWN_SECONDS)
        with self._socket, contextlib.suppress(TimeoutError, ConnectionError):
            while self._socket.recv(64):
                pass
        # Not reaped yet, so the group's number is still ours: where the supervisor itself was killed or
        # hangs, this ends whoever is left.
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def overran(over: Over, seconds: float | None) -> str:
    """The reason for which a child was killed that ran over a limit, that of ``seconds`` or of its output."""
    if over == "output":
        return "was killed: it printed without end"
    return f"was killed after its time limit of {seconds:g} s"


def failure(report: str) -> tuple[str, int | None] | None:
    """Read the supervisor's line: None for success, else the reason and the return code."""
    word, _, number = report.partition("\n")[0].partition(" ")
    if word == "error":
        return f"cannot be started: {os.strerror(int(number))}", None
    if word == "signal":
        return f"was killed by {signal_name(int(number))}", -int(number)
    if word == "exit":
        return (f"failed with exit code {number}", int(number)) if int(number) else None
    return "was killed together with its supervisor", -KILLED


def signal_name(number: int) -> str:
    """``SIGSEGV``, with a word on those that mean something else."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return name + {"SIGKILL": " (out of memory?)", "SIGXCPU": " (its time limit)"}.get(name, "")
