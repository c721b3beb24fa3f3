"""A process that ends itself, or finds the disk full, at one of its own operations on files: for ``bench.kills``.

The interpreter tells an audit hook of every operation before it is done. What a native library does is not seen.
"""

from __future__ import annotations

import errno
import mmap
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
EVENTS = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.truncate",
    "os.utime",
    "fcntl.flock",
}
FILLING = {"os.mkdir", "os.link"}
HEAD = struct.Struct("II")


@dataclass(frozen=True)
class Aim:
    """Where a process ends.

    Attributes:
        at: the number of the operation; 0 for none.
        after: when that is done, instead of before.
        who: ``worker`` (the process that does it), ``guard`` (its parent) or ``group``.
        signal: what it gets.
        bytes: the length of a file in the midst of which it ends instead; 0 for none.
        full: the directory on whose disk nothing has room from operation ``at`` on, or beyond ``bytes`` in a file;
            nothing is killed then.
    """

    at: int = 0
    after: bool = False
    who: str = "worker"
    signal: int = signal.SIGKILL
    bytes: int = 0
    full: Path | None = None


class _Watch:
    """Counts operations below a directory on a page that its parent has as well, and does what is aimed at."""

    def __init__(self, here: Path, aim: Aim, told: mmap.mmap) -> None:
        self.outside = os.getppid()
        self.here, self.aim, self.told, self.count, self.fired = here, aim, told, 0, False

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if os.getppid() == self.outside:
            return  # there is no guard yet, or this is it
        if event == "open":
            writes = isinstance(given[2], int) and given[2] & WRITING
            if not writes or not self._is_here(given[0]):
                return
        elif event not in EVENTS or (event != "fcntl.flock" and not self._is_here(given[0])):
            return
        self.count += 1
        text = f"{event} {given[0]}".encode(errors="replace")[:1000] if self.count == self.aim.at else b""
        if not self.fired:
            HEAD.pack_into(self.told, 0, self.count, len(text))
            self.told[HEAD.size : HEAD.size + len(text)] = text
        if self.aim.full is not None:
            self.fired = self.count == self.aim.at or self.fired
            self._run_out(event, given[0])
        elif self.count == self.aim.at and not self.fired:
            self.fired = True
            if self.aim.after:
                sys.setprofile(self._next)
            else:
                self._end()

    def _is_here(self, path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and _is_below(path, self.here)

    def _run_out(self, event: str, path: Any) -> None:
        full = event == "open" or event in FILLING
        if (
            self.aim.full
            and full
            and self.aim.at
            and self.count >= self.aim.at
            and _is_below(path, self.aim.full)
        ):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))

    def _next(self, *_: object) -> None:
        """The first thing that the interpreter does when the operation is done."""
        sys.setprofile(None)
        self._end()

    def _end(self) -> None:
        if self.aim.who == "group":
            os.killpg(0, self.aim.signal)
        else:
            os.kill(os.getppid() if self.aim.who == "guard" else os.getpid(), self.aim.signal)


def install(here: Path, aim: Aim, told: mmap.mmap) -> None:
    """From now on this process, and what it forks, ends where it is aimed at."""
    if aim.bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (aim.bytes, aim.bytes))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN if aim.full else signal.SIG_DFL)
    if aim.full is not None:
        os.statvfs = _without_room(aim.full)
    sys.addaudithook(_Watch(here, aim, told))


def read(told: mmap.mmap) -> tuple[int, str]:
    """How many operations there were, and which was aimed at."""
    count, length = HEAD.unpack_from(told)
    return count, told[HEAD.size : HEAD.size + length].decode(errors="replace")


def _without_room(full: Path) -> Callable[[Any], os.statvfs_result]:
    """The system's answer, but for the disk that is full."""
    ask = os.statvfs

    def statvfs(path: Any) -> os.statvfs_result:
        found = ask(path)
        below = not isinstance(path, int) and _is_below(path, full)
        return os.statvfs_result([*found[:3], 0, 0, *found[5:10], found.f_fsid]) if below else found

    return statvfs


def _is_below(path: str | bytes | os.PathLike[Any], directory: Path) -> bool:
    """By its text alone: looking would be an operation, too."""
    return Path(os.path.abspath(os.fsdecode(path))).is_relative_to(directory)  # noqa: PTH100
