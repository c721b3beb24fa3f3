"""Whether processes that are not ours are still there."""

from __future__ import annotations

import time
from pathlib import Path


def alive(pid: int) -> bool:
    return _state(pid) not in "ZX"


def wait_until_dead(pids: list[int]) -> list[int]:
    """Return those still alive after 20 s: nobody tells us when a stranger's child is gone."""
    for _ in range(400):
        if not any(map(alive, pids)):
            break
        time.sleep(0.05)
    return [pid for pid in pids if alive(pid)]


def wait_until_stopped(pid: int) -> None:
    """A SIGSTOP has arrived some time after it was sent."""
    for _ in range(400):
        if _state(pid) == "T":
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} was not stopped")


def _state(pid: int) -> str:
    """The letter of ``/proc``; X for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"
