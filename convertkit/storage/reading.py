"""Files of other people, read without waiting for ever and without filling the memory.

A path may name a pipe that nobody writes to, a device without an end, or a file of any size. Whoever reads what a
user or a stranger gave goes through here.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from convertkit.errors import UsageError
from convertkit.storage.system import READING
from convertkit.storage.urls import Url, Where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from convertkit.errors import ConvertkitError

T = TypeVar("T")

TEXT_BYTES = 64 << 20
"""Most bytes of a file that people or tools write as text: manifests, records, logs. r50's manifest has 13 kB."""


@contextlib.contextmanager
def open_regular(path: str | Where, error: type[ConvertkitError] = UsageError) -> Iterator[BinaryIO]:
    """A file open for reading; a pipe, a device or a directory is refused before it is opened.

    Raises:
        ``error``: it is missing, is no regular file, or may not be read; the line begins with the path.
    """
    if isinstance(path, Url):
        with path.open(error) as stream:
            yield stream
        return
    path = Path(path)
    try:
        require_regular(path, error)
        # Between the look and the opening a pipe may have come: it must not be waited for.
        descriptor = os.open(path, READING)
    except OSError as problem:
        raise error(f"cannot be read ({problem.strerror or problem})").about(path) from problem
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise error("not a regular file").about(path)
        yield stream


def require_regular(path: str | Path, error: type[ConvertkitError] = UsageError) -> None:
    """Raises ``error`` unless a file, or a link to one, is there."""
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise error("no such file").about(path) from None
    except ValueError:  # a NUL, which no path can hold
        raise error("not a path").about(repr(str(path))) from None
    except OSError as problem:
        raise error(f"cannot be read ({problem.strerror or problem})").about(path) from problem
    if not stat.S_ISREG(mode):
        raise error("not a regular file").about(path)


def read_file(
    path: str | Where, *, most: int = TEXT_BYTES, error: type[ConvertkitError] = UsageError
) -> bytes:
    """The bytes of a file of at most ``most``.

    Raises:
        ``error``: as :func:`open_regular`, or the file is larger.
    """
    with open_regular(path, error) as stream:
        try:
            size = most if isinstance(path, Url) else os.fstat(stream.fileno()).st_size
            data = stream.read(min(size, most) + 1)
            if (
                data and len(data) > size
            ):  # it has grown, or is one of the system's, which say that they are empty
                data += stream.read(most + 1 - len(data))
        except OSError as problem:
            raise error(f"cannot be read ({problem.strerror or problem})").about(path) from problem
    if data is None:  # a file of the system that would make us wait, like /proc/kmsg
        raise error("not a regular file").about(path)
    if len(data) > most:
        raise error(f"larger than {most >> 20} MiB, which is the most for a file of its kind").about(path)
    return data


def read_json(
    path: str | Where,
    kind: type[T],
    what: str,
    *,
    most: int = TEXT_BYTES,
    error: type[ConvertkitError] = UsageError,
) -> T:
    """What a JSON file holds, as a record of a kind, or of :class:`object` whatever it is.

    Args:
        what: it is to be, in the words of an error: ``the index of a dump``.

    Raises:
        ``error``: as :func:`read_file`, or the content is something else.
    """
    import msgspec  # which most commands start without

    data = read_file(path, most=most, error=error)
    try:
        return msgspec.json.decode(data, type=kind)
    except (UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as problem:
        raise error(f"{path}: not {what} ({problem})") from problem


def own_file(path: Path) -> bytes | None:
    """The bytes of a file that convertkit keeps; None where it is gone, or something else lies in its place."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None
