"""Where systems differ about files; the other modules of this room do not ask which one it is.

On Windows nothing that is open can be moved or removed, and a directory cannot be opened. What is locked there is a
file in its stead, named after its path among the user's temporary files; it goes with its holder.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.1

if sys.platform == "win32":
    import msvcrt
    import tempfile

    READING = os.O_RDONLY | os.O_BINARY
    _held: dict[int, Path] = {}

    def open_for_lock(path: Path, flags: int = READING) -> int:
        if flags & os.O_CREAT:
            path.touch()
        path.stat()  # which says that it is not there
        stead = _in_its_stead(path)
        descriptor = os.open(stead, os.O_RDWR | os.O_CREAT)
        _held[descriptor] = stead
        return descriptor

    def release(descriptor: int) -> None:
        os.close(descriptor)
        with contextlib.suppress(OSError):  # somebody else has it open, and it is theirs now
            _held.pop(descriptor).unlink()

    def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
        """As for other systems; there are no ``shared`` ones, so that two who look may take each other for a holder."""
        while True:
            try:
                os.lseek(descriptor, 0, os.SEEK_SET)
                return msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except PermissionError as error:
                if not wait:
                    raise BlockingIOError(*error.args) from error
            time.sleep(POLL_SECONDS)

    def is_at(descriptor: int, path: Path) -> bool:
        try:
            here = os.path.samestat(os.fstat(descriptor), _in_its_stead(path).stat())
        except OSError:
            return False
        return here and path.exists()

    def _in_its_stead(path: Path) -> Path:
        name = os.path.normcase(path.parent.resolve() / path.name)
        name = hashlib.sha256(name.encode()).hexdigest()
        return Path(
            tempfile.gettempdir(), f".{name}.convertkit-tmp"
        )  # swept, where a killed process leaves it

    def flush(path: Path) -> None:
        if path.is_file():
            _flush(path, os.O_RDWR)

else:
    import fcntl

    READING = os.O_RDONLY | os.O_NONBLOCK
    """A pipe is not waited for."""

    def open_for_lock(path: Path, flags: int = READING) -> int:
        """An open file whose lock is that of ``path``, a file or a directory."""
        return os.open(path, flags, 0o644)

    def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
        """Locks an open file. The lock goes with its last descriptor, so with a process that dies.

        Raises:
            BlockingIOError: somebody else has it, and is not waited for.
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)

    def release(descriptor: int) -> None:
        """Lets go of a lock."""
        os.close(descriptor)

    def is_at(descriptor: int, path: Path) -> bool:
        """Whether a lock is still that of ``path``: it may have been deleted between open and lock."""
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False

    def flush(path: Path) -> None:
        """Waits until a file, or the names in a directory, are on the disk."""
        _flush(path, os.O_RDONLY)


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exchange(one: Path, other: Path) -> bool:
    """Two names change what they stand for in one step; False where the system or its file system cannot do that."""
    if sys.platform != "linux":
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(here, os.fsencode(one), here, os.fsencode(other), swap) == 0
