"""Locks between processes, on files that may be deleted at any time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

POLL_SECONDS = 0.1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where there is no more room."""
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a file system without locks says (some NFS): two builds may then do the same work twice, which does no harm."""


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
        except OSError as error:
            raise store_error(self.path, error) from error
        os.ftruncate(self._descriptor, 0)
        note = f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%H:%M:%S')}"
        os.pwrite(self._descriptor, note.encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()  # while it is held: whoever opened it meanwhile looks whether it is still there
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def holder(path: str | Path) -> str | None:
        """Say who holds the lock at ``path`` now ("process 12 on host since 12:00:00"); None when free."""
        try:
            # Shared: two who ask at once must not take each other for a holder.
            with locked_now(Path(path), kind=fcntl.LOCK_SH):
                return None
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return Path(path).read_text(errors="replace").strip() or "another process"

    def _acquire(self) -> int:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        told = False
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if _try_lock(descriptor) and is_at(descriptor, self.path):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
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
def locked_now(path: Path, *, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold the lock of ``path``, or raise BlockingIOError where another process has it.

    ``path`` may be a directory: the kernel locks those as well.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe of that name is not waited for
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked_directory(path: Path) -> Iterator[None]:
    """Hold the lock of a directory, after waiting for whoever has it; no file of it is left in or beside it.

    A file system that cannot lock a directory (NFS) goes without.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        hold(descriptor)
        yield
    finally:
        os.close(descriptor)


def hold(descriptor: int) -> None:
    """Lock an open file, after waiting for whoever has it; go without where the file system has no locks (NFS)."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Whether ``path`` still names the open file: it may have been deleted between open and lock."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def store_error(path: Path, error: OSError) -> StoreError:
    why = f"cannot be written: {error.strerror or error}"
    return StoreError(why, hint="check the place and its free space").about(path)
