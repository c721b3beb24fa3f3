"""What a graph that we did not write may take: seconds of work and bytes of memory, by the size of its file.

Whoever works on such a graph says so with :func:`step`. In a process that the command line guards
(:mod:`convertkit.api.commands.guard`) the kernel then refuses memory above the limit, and the guard ends a step that
has computed for longer than it may. Elsewhere, as in a program that imports convertkit, a step is only a name.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convertkit.errors import ProcessError, UsageError

if sys.platform != "win32":
    import resource

VARIABLE = "CONVERTKIT_LIMITS"
LIFT = f"{VARIABLE}=10 allows ten times as much, {VARIABLE}=off whatever it takes"

SECONDS_PER_MEGABYTE = 4.0
BYTES_PER_BYTE = 8
"""Of memory for each of the file: protobuf, a copy of it, and both again while types are inferred."""

BYTES_PER_INPUT = 128
"""Of memory for each byte that a graph is run on: the first layers of a detector are 5 to 20 times as large as its
image, and several of them live at once."""

_STACKS = 16 << 20
"""Bytes for each core: the stacks of the threads that native libraries start count as memory."""

_LONGEST, _LARGEST = 1e5, 1 << 60
"""What the system's calls can still take."""

_HEAD = struct.Struct("dddH")
PAGE = mmap.PAGESIZE


@dataclass(frozen=True)
class Limits:
    """Of one step on a graph: seconds that it may compute, and bytes that its process may take.

    Both grow with the file: one of 170 MB gets eleven minutes and 4.6 GB. Memory also grows with what the graph is run
    on: 2.3 GB more for each image of 1216 x 1216 pixels in float32.
    """

    seconds: float = 15.0
    memory: int = 3 << 30

    def of(self, size: int, inputs: int = 0) -> Limits:
        """Those of a graph of ``size`` bytes that is run on ``inputs`` bytes, times what the user allows."""
        times = factor()
        seconds = times * (self.seconds + SECONDS_PER_MEGABYTE * (size // 10**6))
        memory = times * (self.memory + BYTES_PER_BYTE * size + BYTES_PER_INPUT * inputs)
        return Limits(min(seconds, _LONGEST), int(min(memory, _LARGEST)))

    def confine(self) -> int:
        """Lets this process have so much more than it holds now; what needs more fails in here.

        What it holds is of steps before, within limits of their own: outputs that are compared with the next graph's, a
        heap that was not given back. Returns what it might have before.
        """
        return _allow(_held() + self.memory + _STACKS * (os.cpu_count() or 1))


def _allow(memory: int) -> int:
    """Sets the bytes that this process may have, and returns how many those were; on Windows nobody counts."""
    before = memory
    if sys.platform != "win32":
        before, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory if most < 0 else min(memory, most), most))
    return before


def _held() -> int:
    """Bytes of this process that count against the limit; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


@dataclass(frozen=True)
class Running:
    """A step under way: its name, when it began, by both clocks, and the seconds that it may compute."""

    name: str
    began: float
    computed: float
    seconds: float


def factor() -> float:
    """How many times the limits the user allows: 1 by default, infinite where they are lifted.

    Raises:
        UsageError: the variable holds no such number.
    """
    text = os.environ.get(VARIABLE, "").strip() or "1"
    with contextlib.suppress(ValueError):
        times = float("inf") if text == "off" else float(text)
        if times > 0:
            return times
    raise UsageError(f"{VARIABLE}={text[:40]!r} is not a number above 0", hint=f"10, say, or {VARIABLE}=off")


_running = threading.Lock()
_page: mmap.mmap | None = None


def guard_by(page: mmap.mmap) -> None:
    """From now on this process tells its guard what it is doing, on a page of memory that both have."""
    global _page
    _page = page


@contextlib.contextmanager
def step(name: str, size: int = 0, inputs: int = 0) -> Iterator[None]:
    """Work on a graph of ``size`` bytes that is run on ``inputs`` bytes.

    One step at a time: one within another, or beside it, is a part of it.

    Raises:
        ProcessError: it needs more memory than there is, or than it may have.
    """
    if not _running.acquire(blocking=False):
        yield
        return
    try:
        with _guarded(name, LIMITS.of(size, inputs)) if _page is not None else contextlib.nullcontext():
            yield
    except MemoryError as error:
        raise ProcessError(f"{name}: not enough memory", hint=LIFT if _page is not None else None) from error
    finally:
        _running.release()


@contextlib.contextmanager
def _guarded(name: str, limits: Limits) -> Iterator[None]:
    assert _page is not None
    _write(_page, Running(name, time.monotonic(), time.process_time(), limits.seconds))
    before = limits.confine()
    try:
        yield
    finally:
        _allow(before)
        _write(_page, None)


def _write(page: mmap.mmap, running: Running | None) -> None:
    """Whatever moment the guard looks, the seconds are not those of another step: infinite while the rest changes."""
    _HEAD.pack_into(page, 0, float("inf"), 0.0, 0.0, 0)
    if running is not None:
        name = running.name.encode(errors="replace")[: PAGE - _HEAD.size]
        page[_HEAD.size : _HEAD.size + len(name)] = name
        _HEAD.pack_into(page, 0, float("inf"), running.began, running.computed, len(name))
        struct.pack_into("d", page, 0, running.seconds)


def read(page: mmap.mmap) -> Running | None:
    """What the guarded process is doing; None where it is no step."""
    seconds, began, computed, length = _HEAD.unpack_from(page, 0)
    name = page[_HEAD.size : _HEAD.size + length].decode(errors="replace")
    return Running(name, began, computed, seconds) if length else None


LIMITS = Limits()
