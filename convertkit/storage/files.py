"""Files that are whole or absent: atomic writes, hashes, locks, and where convertkit keeps its things.

Whatever is written here appears under its final name only when it is complete. Work in progress carries a
temporary name and an advisory lock that the kernel drops with its owner, so that the leftovers of a killed
process can be told from the work of a living one.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.errors import UnavailableError
from convertkit.storage.locks import FileLock, locked_directory, store_error
from convertkit.storage.system import exchange, flush, release
from convertkit.storage.temporary import (
    TEMPORARY,
    clean_leftovers,
    reserve,
    scratch_directory,
    work_directory,
)
from convertkit.storage.urls import Url, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHUNK = 1 << 20

__all__ = [
    "TEMPORARY",
    "FileLock",
    "atomic_directory",
    "atomic_write",
    "canonical_json",
    "clean_leftovers",
    "home",
    "locked_directory",
    "megabytes",
    "scratch_directory",
    "sha256_bytes",
    "sha256_file",
    "work_directory",
]


def megabytes(count: int) -> str:
    """Bytes as people read them: ``18.52 MB`` (of 10^6), or ``734 kB``, ``382 B`` where that would be nothing."""
    if count >= 1e6:
        return f"{count / 1e6:.2f} MB"
    return f"{count / 1e3:.0f} kB" if count >= 1e3 else f"{count} B"


def home() -> Path:
    """Return the directory of environments, downloads and cached builds (it need not exist yet).

    ``CONVERTKIT_HOME``, else ``$XDG_CACHE_HOME/convertkit``, else ``~/.cache/convertkit``.

    Raises:
        UnavailableError: there is no home directory: a user without an entry in the system's table, and no ``HOME``.
    """
    if chosen := os.environ.get("CONVERTKIT_HOME"):
        return _expanded(chosen)
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return _expanded(cache) / "convertkit"
    return _expanded("~") / ".cache" / "convertkit"


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise UnavailableError(
            f"{text}: there is no such home directory", hint="set CONVERTKIT_HOME to a directory of your own"
        ) from error


def sha256_bytes(data: bytes | str) -> str:
    """Return the sha256 of ``data`` (text as UTF-8, also that of a path which is no text), 64 lower-case hex digits."""
    return hashlib.sha256(data.encode(errors="surrogatepass") if isinstance(data, str) else data).hexdigest()


def sha256_file(path: str | Where) -> str:
    """Return the sha256 of a file, read in chunks of 1 MiB, 64 lower-case hex digits."""
    digest = hashlib.sha256()
    with path.open() if isinstance(path, Url) else Path(path).open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@functools.cache
def tree_digest(root: Path) -> str:
    """sha256 over the names and contents of the Python files below ``root`` (or of that one file)."""
    files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def canonical_json(value: Any) -> str:
    """Return the one JSON text of ``value``: sorted keys, no spaces, ASCII. Equal values give equal text.

    Raises:
        TypeError: something in ``value`` has no JSON form.
        ValueError: a number is infinite or not a number.

    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def atomic_write(
    path: str | Path, data: bytes | str | Iterable[bytes | memoryview], *, sync: bool = True
) -> None:
    """Write ``path`` so that every reader, at any moment, sees the old content or all of the new.

    Missing parent directories are made. Text is written as UTF-8, pieces one after the other.

    Args:
        sync: False does not wait for the disk: several times faster for large files, but after a power failure
            the file may be short or hold zeros. A killed process does no harm in either case.

    Raises:
        StoreError: the place cannot be written, or something that is no file is there (a device, a directory).
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clean_leftovers(path.parent, of=path.name)
        temporary, descriptor = reserve(path, directory=False)
        try:
            with temporary.open("wb") as stream:
                stream.writelines(
                    [data.encode(errors="surrogateescape")] if isinstance(data, str) else _pieces(data)
                )
                stream.flush()
                if sync:
                    os.fsync(stream.fileno())
            temporary.replace(path)
            if sync:
                flush(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
            release(descriptor)
    except OSError as error:
        raise store_error(path, error) from error


@contextlib.contextmanager
def atomic_directory(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Fill a temporary sibling of ``path``; on success make it ``path``, on an exception remove it.

    Where ``path`` exists at the end, another process finished first: its result is kept and this one dropped
    (results are named by their content), unless ``replace`` is set: then the two change their names at once. The
    leftovers of killed processes beside ``path`` are removed on the way in.

    Raises:
        StoreError: the place cannot be written.
    """
    path = Path(path)
    with scratch_directory(path) as temporary:
        yield temporary
        try:
            _sync_tree(temporary)
            _publish(temporary, path, replace=replace)
        except OSError as error:
            raise store_error(path, error) from error


def _pieces(data: bytes | Iterable[bytes | memoryview]) -> Iterable[bytes | memoryview]:
    return [data] if isinstance(data, bytes) else data


def _publish(temporary: Path, path: Path, *, replace: bool) -> None:
    if replace and path.exists():
        if not exchange(temporary, path):
            aside = temporary.with_name(f"{temporary.name}{TEMPORARY}")
            path.rename(aside)
            temporary.rename(path)
            shutil.rmtree(aside, ignore_errors=True)
    else:
        try:
            temporary.rename(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    flush(path.parent)


def _sync_tree(directory: Path) -> None:
    for root, _, names in os.walk(directory):
        for name in names:
            path = Path(root, name)
            if path.is_file() and not path.is_symlink():
                flush(path)
        flush(Path(root))
