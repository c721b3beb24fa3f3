"""Every command runs in a process of its own: whatever a file does to that, a line and an exit code are left."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from convertkit.children import limits, supervisor

assert sys.platform == "linux"

FAILED: Final = 4
"""The exit code of a step that did not survive, as of any that failed."""


@dataclass(frozen=True)
class Killed:
    """The command did not come to its own end; ``why``, in a line."""

    why: str


TICK_SECONDS = 0.25

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCHED = (*_ENDING, signal.SIGCHLD)
_SENT_BY_KERNEL = 0x80
"""``si_code`` of Ctrl-C: the terminal has sent it to the whole group, so that the child has it already."""


def apart() -> int | Killed | None:
    """Goes on in a child, for which it returns None; here it returns the exit code when the child has ended, or why.

    There is no child where the user has lifted the limits. It is made before anything heavy is imported, and before
    there is a second thread.
    """
    if limits.factor() == float("inf"):
        return None
    page = mmap.mmap(-1, limits.PAGE)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    guard, child = os.getpid(), os.fork()
    if child == 0:
        supervisor.prctl(supervisor.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(FAILED)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        limits.guard_by(page)
        return None
    code = os.waitstatus_to_exitcode(_wait(child, page))
    return code if code >= 0 else _died(-code, page)


def _wait(child: int, page: mmap.mmap) -> int:
    """The wait status of the child; it gets the signals that are meant for it, and is ended where it takes too long."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        found = signal.sigtimedwait(_WATCHED, TICK_SECONDS)
        if found is None:
            if _overrun(child, page):
                os.kill(child, signal.SIGKILL)
        elif found.si_signo != signal.SIGCHLD and found.si_code != _SENT_BY_KERNEL:
            os.kill(child, found.si_signo)


def _overrun(child: int, page: mmap.mmap) -> limits.Running | None:
    """The step that has taken longer than it may by the clock, and has computed that long: a slow or stopped machine,
    or one with many cores, is not the graph's fault."""
    running = limits.read(page)
    if running is None or time.monotonic() - running.began < running.seconds:
        return None
    spent = sum(map(_computed, (child, *supervisor.descendants(child)))) - running.computed
    return running if spent >= running.seconds else None


def _computed(pid: int) -> float:
    """Processor seconds of a process; 0 where it is gone."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _died(number: int, page: mmap.mmap) -> Killed:
    """What the child died of; where somebody ended us both, so do we."""
    if number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        os.kill(os.getpid(), number)
    from convertkit.children.child import signal_name

    running = limits.read(page)
    where = running.name if running else "convertkit"
    if number == signal.SIGKILL and running and time.monotonic() - running.began >= running.seconds:
        return Killed(f"{where}: ended after its time limit of {running.seconds:.0f} s ({limits.LIFT})")
    return Killed(f"{where}: killed by {signal_name(number)}")
