"""Places that are no files of this machine: the one door to fsspec, which the extra ``urls`` brings.

A :class:`Url` has the part of :class:`pathlib.Path` that readers of datasets and writers of results use. Credentials
and endpoints are the driver's own (for ``s3://`` those of the AWS tools, ``AWS_ENDPOINT_URL`` among them).
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
            stream = self._system().open(self.text, "rb")
        with stream, self._told(error):
            yield stream

    def files(self) -> Iterator[Url]:
        """Those below it, in the order of their names. Raises as :meth:`is_file`."""
        with self._told(UnavailableError):
            system = self._system()
            yield from (Url(system.unstrip_protocol(path)) for path in sorted(system.find(self.text)))

    def fetch(self, path: Path) -> None:
        """Copies the object to a file. Raises as :meth:`is_file`."""
        with self._told(UnavailableError):
            self._system().get_file(self.text, str(path))

    def fetch_all(self, directory: Path) -> None:
        """Copies all that is below it, under the same names. Raises as :meth:`is_file`."""
        above = f"{self.text.rstrip('/')}/"
        for file in self.files():
            parts = file.text.removeprefix(above).split("/")
            if ".." in parts or not file.text.startswith(above):
                raise UnavailableError("a name that leads out of its directory").about(file)
            place = directory.joinpath(*parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.fetch(place)

    def put(self, path: Path) -> None:
        """Makes the object out of a file; object stores show it whole or not at all. Raises as :meth:`is_file`."""
        with self._told(UnavailableError, "written"):
            self._system().put_file(str(path), self.text)

    def put_all(self, directory: Path, *, last: Sequence[str] = ()) -> None:
        """Makes an object of every file directly in a directory, those named ``last`` after the others."""
        paths = sorted(path for path in directory.iterdir() if path.is_file())
        for path in sorted(paths, key=lambda path: path.name in last):
            (self / path.name).put(path)

    def _asked(self, question: str) -> bool:
        with self._told(UnavailableError):
            return bool(getattr(self._system(), question)(self.text))

    def _system(self) -> Any:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            hint = "pip install 'convertkit-compiler[urls]'"
            raise UnavailableError("places by URL need fsspec", hint=hint).about(self) from None
        try:
            return url_to_fs(self.text)[0]
        except (
            ImportError,
            ValueError,
        ) as problem:  # a driver that is not installed, a protocol nobody knows
            raise UnavailableError(f"nothing here can open it ({problem})").about(self) from problem

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
            raise error(f"cannot be {what} ({problem or type(problem).__name__})").about(self) from problem


Where: TypeAlias = Path | Url


def local(place: Where, what: str) -> Path:
    """A path; UsageError for a URL, with ``what`` cannot use one."""
    if isinstance(place, Url):
        raise UsageError(f"{what} cannot read from a URL", hint="copy it to this machine").about(place)
    return place


def where(text: str | Path | Url) -> Path | Url:
    """A path, or a URL; ``file://`` is a path like any other.

    Raises:
        UsageError: a ``file://`` names another machine.
    """
    if not isinstance(text, str) or "://" not in text:
        return text if isinstance(text, Url) else Path(text)
    parts = urlsplit(text)
    if parts.scheme != "file":
        return Url(text)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"{text}: a file of another machine", hint="write file:///PATH")
    return Path(url2pathname(parts.path))
