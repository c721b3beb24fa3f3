"""Places that are no files of this machine: the one door to fsspec, which the extra ``urls`` brings.

Only protocols of :data:`PROTOCOLS` are opened, one at a time: fsspec knows others that run programs (``ssh``,
``hdfs``), fill in templates (``reference``) or are made of each other (``zip::https``). A :class:`Url` has the part of
:class:`pathlib.Path` that readers of datasets and writers of results use. Credentials and endpoints are the driver's
own (for ``s3://`` those of the AWS tools, ``AWS_ENDPOINT_URL`` among them).
"""

from __future__ import annotations

import contextlib
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from convertkit.errors import ConvertkitError, UnavailableError, UsageError

PROTOCOLS = ("s3", "gs", "abfs", "http", "https", "memory")
"""``memory`` is this process's own."""

OWN = "'convertkit-compiler[{}]'"
DRIVERS = {"s3": OWN.format("s3"), "gs": "gcsfs", "abfs": "adlfs"}
"""What to install for a protocol, where it is not the extra ``urls``."""

MOST_FILES = 100_000
MOST_BYTES = 1 << 37
"""Of all that is below a URL and is copied: 128 GiB."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO


@dataclass(frozen=True)
class Url:
    """A place such as ``s3://bucket/photos``. Nothing is kept open: it can be pickled and used in any thread."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str | Path) -> Url:
        return Url(f"{self.text.rstrip('/')}/{name}")

    @property
    def protocol(self) -> str:
        return self.text.partition("://")[0]

    @property
    def name(self) -> str:
        return posixpath.basename(self.text.rstrip("/"))

    def absolute(self) -> Url:
        return self

    def resolve(self) -> Url:
        return self

    def is_file(self) -> bool:
        """Raises UnavailableError where nobody can say."""
        return self._asked("isfile")

    def is_dir(self) -> bool:
        """Whether anything is below it; an object store has no empty directories. Raises as :meth:`is_file`."""
        return self._asked("isdir")

    @contextlib.contextmanager
    def open(self, error: type[ConvertkitError] = UsageError) -> Iterator[BinaryIO]:
        """The object, to be read from its beginning.

        Raises:
            ``error``: it is missing or cannot be read; the line begins with the URL.
        """
        with self._told(error):
            system = self._system()
            stream = system.open(self._path(system), "rb")
        with stream, self._told(error):
            yield stream

    def files(self) -> dict[str, int]:
        """Bytes of those below it, by their names from here on, in the order of these. Raises as :meth:`is_file`."""
        with self._told(UnavailableError):
            system = self._system()
            found = system.find(self._path(system), detail=True)
            start = f"{self._path(system).rstrip('/')}/"
            return {
                path.removeprefix(start): int(found[path].get("size") or 0)
                for path in sorted(found)
                if path.startswith(start)
            }

    def fetch(self, path: Path) -> None:
        """Copies the object to a file. Raises as :meth:`is_file`."""
        with self._told(UnavailableError):
            system = self._system()
            system.get_file(self._path(system), str(path))

    def fetch_all(self, directory: Path) -> None:
        """Copies all that is below it, under the same names.

        Raises:
            UnavailableError: as :meth:`is_file`, or a name does not stay in the directory. UsageError: it is too much.
        """
        files = self.files()
        if len(files) > MOST_FILES or sum(files.values()) > MOST_BYTES:
            raise UsageError(f"more than {MOST_FILES} files or {MOST_BYTES >> 30} GiB").about(self)
        for name in files:
            if not _stays(name):
                raise UnavailableError("a name that leads out of its directory").about(self / name)
            place = directory / name
            place.parent.mkdir(parents=True, exist_ok=True)
            (self / name).fetch(place)

    def put(self, path: Path) -> None:
        """Makes the object out of a file; object stores show it whole or not at all. Raises as :meth:`is_file`."""
        with self._told(UnavailableError, "written"):
            system = self._system()
            system.put_file(str(path), self._path(system))

    def put_all(self, directory: Path, *, last: Sequence[str] = ()) -> None:
        """Makes an object of every file directly in a directory, those named ``last`` after the others."""
        paths = sorted(path for path in directory.iterdir() if path.is_file())
        for path in sorted(paths, key=lambda path: path.name in last):
            (self / path.name).put(path)

    def _asked(self, question: str) -> bool:
        with self._told(UnavailableError):
            system = self._system()
            return bool(getattr(system, question)(self._path(system)))

    def _path(self, system: Any) -> str:
        """As its driver has it, and no other: ``::`` in a name has no meaning here."""
        return str(system._strip_protocol(self.text))

    def _system(self) -> Any:
        hint = f"pip install {DRIVERS.get(self.protocol, OWN.format('urls'))}"
        try:
            from fsspec.registry import get_filesystem_class
        except ImportError:
            raise UnavailableError("places by URL need fsspec", hint=hint).about(self) from None
        try:
            driver = get_filesystem_class(self.protocol)
        except (ImportError, ValueError) as problem:
            said = f"{self.protocol}:// needs a driver that is not installed ({problem})"
            raise UnavailableError(said, hint=hint).about(self) from None
        return driver(**driver._get_kwargs_from_urls(self.text))

    @contextlib.contextmanager
    def _told(self, error: type[ConvertkitError], what: str = "read") -> Iterator[None]:
        """Drivers raise whatever their libraries do; the URL and their words are all that can be said."""
        try:
            yield
        except ConvertkitError:
            raise
        except FileNotFoundError:
            raise error("no such file").about(self) from None
        except Exception as problem:
            said = (str(problem).splitlines() or [""])[0] or type(problem).__name__
            raise error(f"cannot be {what} ({said})").about(self) from problem


def _stays(name: str) -> bool:
    """Whether a name leads into its directory, whatever the system."""
    return not ({"", ".", ".."} & set(name.split("/")) or any(sign in name for sign in "\\:\0"))


Where: TypeAlias = Path | Url


def local(place: Where, what: str) -> Path:
    """A path; UsageError for a URL, with ``what`` cannot use one."""
    if isinstance(place, Url):
        raise UsageError(f"{what} cannot use a URL", hint="copy it to this machine").about(place)
    return place


def where(text: str | Path | Url) -> Path | Url:
    """A path, or a URL; ``file://`` is a path like any other.

    Raises:
        UsageError: a ``file://`` names another machine, or the protocol is none of :data:`PROTOCOLS`.
    """
    if not isinstance(text, str) or "://" not in text:
        return text if isinstance(text, Url) else Path(text)
    parts = urlsplit(text)
    if parts.scheme in PROTOCOLS:
        return Url(text)
    if parts.scheme != "file":
        raise UsageError(f"{text}: no protocol that is opened here", hint=f"file, {', '.join(PROTOCOLS)}")
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"{text}: a file of another machine", hint="write file:///PATH")
    return Path(url2pathname(parts.path))
