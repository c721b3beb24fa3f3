"""Run one command so that nothing of it outlives us: the script between convertkit and every child process.

    python -I -S supervisor.py DESCRIPTOR COMMAND [ARGUMENT ...]

DESCRIPTOR is one end of a socket pair. The supervisor leads a process group of its own, becomes the foster
parent of every orphan among its descendants, and kills all of them when the command ends, when the other end of
the socket closes (the owner gave up), when the owner dies, or on SIGTERM. It writes one line to the socket: ``exit N``,
``signal N`` or ``error ERRNO`` (the command could not be started).

Only the standard library, nothing of convertkit: it starts in 20 ms and knows no thread, so that the code
between fork and exec is safe.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

assert sys.platform == "linux"

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
THREAD_DIED = signal.SIGUSR1


def main(descriptor: int, command: list[str]) -> None:
    """Start ``command``, wait for its end or the owner's, report, and leave no descendant behind."""
    owner = socket.socket(fileno=descriptor)
    owner.set_inheritable(False)
    wake, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, THREAD_DIED):
        signal.signal(number, lambda *_: None)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    # A second line of defence where a forked sibling still holds the owner's end of the socket open. The signal
    # comes when the thread that started us ends; it is the owner's end if somebody else is our parent then.
    owner_pid = os.getppid()
    prctl(PR_SET_PDEATHSIG, THREAD_DIED)

    child = _start(command, owner)
    _let_go_of_output()
    status = _wait(child, owner, wake, owner_pid)
    if status is not None:
        with contextlib.suppress(OSError):
            owner.sendall(_words(status).encode())
    _kill_descendants()


def _start(command: list[str], owner: socket.socket) -> int:
    child = os.fork()
    if child == 0:
        _become(command, owner)
    return child


def _become(command: list[str], owner: socket.socket) -> NoReturn:
    """Turn the forked copy into the command; it dies with the supervisor, whatever kills that."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, THREAD_DIED, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execvp(command[0], command)
    except OSError as error:
        owner.sendall(f"error {error.errno}\n".encode())
    finally:
        os._exit(127)


def _wait(child: int, owner: socket.socket, wake: int, owner_pid: int) -> int | None:
    """Return the wait status of ``child``, or None when the owner is gone first."""
    while True:
        ready, _, _ = select.select([owner.fileno(), wake], [], [])
        if owner.fileno() in ready:
            return None
        rung = os.read(wake, 512)
        if signal.SIGTERM in rung or (THREAD_DIED in rung and os.getppid() != owner_pid):
            return None
        for pid, status in _reap():
            if pid == child:
                return status


def _reap() -> list[tuple[int, int]]:
    """Collect every child that has ended, adopted orphans included."""
    ended = []
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            ended.append(found)
    return ended


def _kill_descendants() -> None:
    """Kill until no child is left: whoever loses its parent meanwhile becomes a child of ours."""
    while True:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def descendants(root: int) -> list[int]:
    """Every process below one by its parent links, in whatever session or group it hides."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The name in parentheses may hold spaces and parentheses; the parent is the second field after it.
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _let_go_of_output() -> None:
    """Close our copies of the command's pipes, else their reader would not see it close them."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _words(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit {code}\n" if code >= 0 else f"signal {-code}\n"


def prctl(option: int, value: int) -> None:
    """What the process asks of the kernel for itself."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
