"""A lock is held by one process at a time and dies with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from convertkit.errors import StoreError
from convertkit.storage import locks
from convertkit.storage.files import FileLock

HOLD = """
import sys, time
from convertkit.storage.files import FileLock
with FileLock(sys.argv[1]):
    print("here", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_free_lock_is_taken_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lock"

    with FileLock(path, on_wait=pytest.fail):
        holder = FileLock.holder(path)

    assert holder is not None
    assert holder.startswith("process ")
    assert FileLock.holder(path) is None
    assert FileLock.holder(tmp_path / "absent") is None
    assert list(path.parent.iterdir()) == []


def test_waiting_names_the_holder_and_ends_with_its_death(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = hold(path)
    said: list[str] = []

    def on_wait(phrase: str) -> None:
        said.append(phrase)
        kill(other)

    with FileLock(path, on_wait=on_wait):
        pass

    assert len(said) == 1
    assert said[0].startswith(f"waiting for process {other.pid} on ")


def test_timeout_is_an_error_that_names_the_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = hold(path)

    with pytest.raises(StoreError, match=rf"lock: still locked by process {other.pid} on .* after 0.2 s"):
        FileLock(path, timeout=0.2).__enter__()

    kill(other)


def test_deleted_lock_file_does_not_let_two_in(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with FileLock(path):
        path.unlink()
        with FileLock(path):
            path.unlink()
    with FileLock(path, timeout=0.2):
        assert FileLock.holder(path) is not None


def test_a_lock_won_on_a_file_that_is_gone_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, lock = tmp_path / "lock", locks.lock
    tries: list[int] = []

    def slow(descriptor: int, **how: bool) -> None:
        if not tries:
            path.unlink()  # as the holder does who lets go between our opening and our locking
        tries.append(descriptor)
        lock(descriptor, **how)

    monkeypatch.setattr(locks, "lock", slow)

    with FileLock(path, timeout=5):
        assert len(tries) == 2
        assert FileLock.holder(path) is not None
