"""Locks between processes, on files that may be deleted at any time."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import StoreError
from convertkit.storage.system import POLL_SECONDS, READING, is_at, lock, open_for_lock, release

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from types import TracebackType

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where there is no more room."""
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a file system without locks says (some NFS): two builds may then do the same work twice, which does no harm."""
ANY = range(1 << 16)
"""Every number of an error: NFS has one of its own for a directory that it cannot lock."""


class FileLock:
    """A lock between processes, held as a context manager and dropped by the kernel when its holder dies.

    Args:
        path: the lock file; it is made when missing, with its parents, may be deleted at any time, and goes at the end.
        on_wait: called once with one phrase that says who holds the lock, before waiting for it.
        timeout: seconds to wait; None waits for ever.

    Raises:
        StoreError: the lock file cannot be made, or ``timeout`` has passed.
    """

    def __init__(
        self, path: str | Path, *, on_wait: Callable[[str], None] | None = None, timeout: float | None = None
    ) -> None:
        self.path = Path(path)
        self._on_wait = on_wait
        self._timeout = timeout
        self._descriptor: int | None = None

    def __enter__(self) -> FileLock:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._acquire()
            note = f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%H:%M:%S')}"
            self.path.write_text(note)
        except OSError as error:
            self._let_go()
            raise store_error(self.path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.path.unlink()  # while it is held: whoever opened it meanwhile looks whether it is still there
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            release(self._descriptor)
            self._descriptor = None

    @staticmethod
    def holder(path: str | Path) -> str | None:
        """Say who holds the lock at ``path`` now ("process 12 on host since 12:00:00"); None when free."""
        try:
            # Shared: two who ask at once must not take each other for a holder.
            with locked_now(Path(path), shared=True):
                return None
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return Path(path).read_text(errors="replace").strip() or "another process"

    def _acquire(self) -> int:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        told = False
        while True:
            with contextlib.suppress(BlockingIOError):
                return take(self.path, os.O_RDWR | os.O_CREAT, without=NO_LOCKS)
            holder = self.holder(self.path)
            if holder is None:
                continue
            if self._on_wait is not None and not told:
                self._on_wait(f"waiting for {holder}")
                told = True
            if deadline is not None and time.monotonic() > deadline:
                raise StoreError(f"{self.path}: still locked by {holder} after {self._timeout:g} s")
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def locked_now(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of ``path``, or raise BlockingIOError where another process has it.

    ``path`` may be a directory: those have locks as well.
    """
    descriptor = take(path, shared=shared)
    try:
        yield
    finally:
        release(descriptor)


@contextlib.contextmanager
def locked_directory(path: Path) -> Iterator[None]:
    """Hold the lock of a directory, after waiting for whoever has it; no file of it is left in or beside it.

    A file system that cannot lock a directory (NFS) goes without.
    """
    descriptor = take(path, wait=True, without=ANY)
    try:
        yield
    finally:
        release(descriptor)


def take(
    path: Path,
    flags: int = READING,
    *,
    shared: bool = False,
    wait: bool = False,
    without: Container[int] = (),
) -> int:
    """The lock of ``path``, as a descriptor that holds it until it is released.

    Args:
        without: numbers of errors that say that there are no locks, where it does without.

    Raises:
        BlockingIOError: another process has it, and is not waited for.
        OSError: there is no such path, or no lock.
    """
    while True:
        descriptor = open_for_lock(path, flags)
        try:
            _lock(descriptor, shared=shared, wait=wait, without=without)
            if is_at(descriptor, path):
                return descriptor
        except BaseException:
            release(descriptor)
            raise
        release(descriptor)


def _lock(descriptor: int, *, shared: bool, wait: bool, without: Container[int]) -> None:
    try:
        lock(descriptor, shared=shared, wait=wait)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in without:
            raise


def store_error(path: Path, error: OSError) -> StoreError:
    why = f"cannot be written: {error.strerror or error}"
    return StoreError(why, hint="check the place and its free space").about(path)
