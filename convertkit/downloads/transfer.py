"""One attempt at a download: from where the last one stopped, into the same part file."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convertkit.storage.reading import own_file

CHUNK = 1 << 18
TIMEOUT_SECONDS = 60.0
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Fault(Exception):
    """Why an attempt failed, in a few words; ``transient`` when another one may do better."""

    def __init__(self, why: str, *, transient: bool) -> None:
        super().__init__(why)
        self.transient = transient


@dataclass(frozen=True)
class Part:
    """The bytes of an unfinished download; beside them ``.tag`` says which version of the file they belong to."""

    path: Path

    @property
    def size(self) -> int:
        """The bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def tag(self) -> str:
        """The server's mark of the version (its ETag or date), empty when it gave none."""
        return (own_file(self._tag_path) or b"").decode(errors="replace")

    @property
    def _tag_path(self) -> Path:
        return self.path.with_name(self.path.name + ".tag")

    def restart(self, tag: str) -> None:
        """Forget the bytes; those to come belong to the version ``tag``."""
        self.path.write_bytes(b"")
        self._tag_path.write_text(tag)

    def discard(self) -> None:
        """Remove every trace."""
        self.path.unlink(missing_ok=True)
        self._tag_path.unlink(missing_ok=True)

    def finish(self, path: Path) -> None:
        """Move the bytes, safely on disk, to their final name."""
        with self.path.open("rb") as stream:
            os.fsync(stream.fileno())
        self.path.replace(path)
        self.discard()


def receive(
    url: str, part: Part, size: int | None, on_progress: Callable[[int, int | None], None] | None
) -> None:
    """Append to ``part`` what it lacks of ``url``.

    Raises:
        Fault: the attempt failed; what arrived stays in ``part``.
        OSError: ``part`` cannot be written.
    """
    try:
        response = _open(url, part)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            return _complete(part, size)
        raise Fault(
            f"the server answers {error.code} {error.reason}", transient=error.code in TRANSIENT
        ) from error
    except urllib.error.URLError as error:
        raise Fault(
            _reason(error.reason), transient=not isinstance(error.reason, FileNotFoundError)
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise Fault(_reason(error), transient=True) from error
    with response:
        total = _start(response, part)
        if total is not None and size is not None and total != size:
            part.discard()
            raise Fault(f"the server's file has {total} bytes instead of {size}", transient=False)
        _copy(response, part, total, size, on_progress)
    return None


def _open(url: str, part: Part) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "convertkit"})
    if part.size and not url.startswith("file:"):
        request.add_header("Range", f"bytes={part.size}-")
        if part.tag:
            request.add_header("If-Range", part.tag)
    return _opener().open(request, timeout=TIMEOUT_SECONDS)


def _opener() -> urllib.request.OpenerDirector:
    """Follow the user's proxies and redirects, but know no other scheme than ours, wherever a redirect leads."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.FileHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _start(response: Any, part: Part) -> int | None:
    """Make ``part`` ready for the body that follows; return the whole file's size where it is known."""
    headers = response.headers
    if getattr(response, "status", None) == 206:
        match = _RANGE.fullmatch(headers.get("Content-Range", ""))
        if match is None or int(match[1]) != part.size:
            part.discard()
            raise Fault("the server sent another range than asked for", transient=True)
        return None if match[2] == "*" else int(match[2])
    # The server ignores ranges, or its file is not the one we began with.
    etag = headers.get("ETag", "")
    part.restart(etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", ""))
    length = headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _copy(
    response: Any,
    part: Part,
    total: int | None,
    size: int | None,
    on_progress: Callable[[int, int | None], None] | None,
) -> None:
    limit = total if total is not None else size
    done = part.size
    with part.path.open("ab") as stream:
        while chunk := _read(response):
            stream.write(chunk)
            done += len(chunk)
            if limit is not None and done > limit:
                part.discard()
                raise Fault(f"the server sends more than {limit} bytes", transient=False)
            if on_progress is not None:
                on_progress(done, limit)
    if limit is not None and done < limit:
        raise Fault(f"the connection ended after {done} of {limit} bytes", transient=True)


def _read(response: Any) -> bytes:
    try:
        data: bytes = response.read1(CHUNK) if hasattr(response, "read1") else response.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise Fault(_reason(error), transient=True) from error
    return data


def _complete(part: Part, size: int | None) -> None:
    """The server has nothing after our bytes: they are all there is, or belong to another file."""
    if size is not None and part.size != size:
        part.discard()
        raise Fault("the file on the server has changed", transient=True)


def _reason(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
