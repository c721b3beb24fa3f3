"""Child processes where there is no supervisor: it needs what only Linux has."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.children.child import SUPERVISES, TICK_SECONDS, Child, ChildError, FloodError, Over, spawn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping

STRAGGLER_SECONDS = 0.2
"""How long output is waited for that an ended command may have left, or that others keep open."""

AHEAD = 64
"""Pieces of output that are read before anybody takes them: who prints more waits."""


def start(
    command: list[str],
    env: Mapping[str, str] | None,
    cwd: str | Path | None,
    descriptors: Iterable[int] = (),
) -> Child:
    """The command as a child of ours, supervised where that is possible; as :class:`Child` has it."""
    return (Child if SUPERVISES else Unsupervised)(command, env, cwd, descriptors)


class Unsupervised(Child):
    """A command with nobody between us and it: killed outright, we leave it behind.

    It ends at its limits all the same, and on macOS its process group with it. Threads read what it prints: on Windows
    pipes cannot be waited for.
    """

    def __init__(
        self,
        command: list[str],
        env: Mapping[str, str] | None,
        cwd: str | Path | None,
        descriptors: Iterable[int] = (),
    ) -> None:
        self.report = ""
        self._arrived: queue.Queue[tuple[str, bytes]] = queue.Queue(AHEAD)
        self._threads: dict[str, threading.Thread] = {}
        self._open = {"stdout", "stderr"}
        group: dict[str, Any] = {}
        if sys.platform != "win32":
            group = {"pass_fds": list(descriptors), "start_new_session": True}
        try:
            self._process = spawn(command, env, cwd, **group)
        except OSError as error:
            where = f" in {cwd}" if cwd is not None and error.filename == str(cwd) else ""
            reason = f"cannot be started{where}: {error.strerror}"
            raise ChildError(Path(command[0]).name, reason, returncode=None) from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            self._read(name, functools.partial(os.read, stream.fileno()))

    def feed(
        self,
        take: Callable[[str, bytes], None],
        deadline: float | None,
        tick: Callable[[], None] | None = None,
        *,
        channel: socket.socket | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> Over:
        """As :meth:`Child.feed`."""
        if channel is not None and "channel" not in self._threads:
            self._read("channel", channel.recv)
        next_tick = time.monotonic() + TICK_SECONDS
        while not enough():
            now = time.monotonic()
            if tick is not None and now >= next_tick:
                next_tick = now + TICK_SECONDS
                tick()
            if deadline is not None and now >= deadline:
                return "time"
            # With its output closed it ends at once, as a rule; others may keep that open when it has ended.
            ended = self._ended(0 if self._open else STRAGGLER_SECONDS)
            left = TICK_SECONDS if deadline is None else min(TICK_SECONDS, deadline - now)
            try:
                name, data = self._arrived.get(bool(self._open), STRAGGLER_SECONDS if ended else left)
                if not data:
                    self._open.discard(name)
                take(name, data)
            except queue.Empty:
                if ended:
                    return ""
            except FloodError:
                return "output"
        return ""

    def _ended(self, seconds: float) -> bool:
        """Whether the command has ended, or does so within ``seconds``; if so, the report says how."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.report = f"exit {code}\n" if code >= 0 else f"signal {-code}\n"
        return True

    def _read(self, name: str, read: Callable[[int], bytes]) -> None:
        self._threads[name] = threading.Thread(target=_pump, args=(name, read, self._arrived), daemon=True)
        self._threads[name].start()

    def kill(self) -> None:
        """End the command, and on macOS its process group; returns when it is gone."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        patience = time.monotonic() + STRAGGLER_SECONDS
        while any(thread.is_alive() for thread in self._threads.values()) and time.monotonic() < patience:
            with contextlib.suppress(queue.Empty):
                self._arrived.get(timeout=STRAGGLER_SECONDS / 10)
        for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            # One that is still read gets another file's bytes if it is closed and its number given away.
            if stream is not None and not self._threads[name].is_alive():
                stream.close()


def _pump(name: str, read: Callable[[int], bytes], arrived: queue.Queue[tuple[str, bytes]]) -> None:
    data = b"?"
    while data:
        try:
            data = read(1 << 16)
        except (OSError, ValueError):  # a reset channel, or one that we have closed
            data = b""
        arrived.put((name, data))
