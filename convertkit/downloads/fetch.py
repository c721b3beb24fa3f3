"""Downloading a file: resumable, verified, and never half-written under its final name.

The sha256 may be a prefix of at least 8 hex digits: mmdet's checkpoint names carry the first 8 digits of the
file's sha256 and nothing longer is published. Eight digits tell a damaged or wrong file from the right one; they
do not stop someone who builds a file to match, so checkpoints are loaded without running any code in them.
"""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convertkit.downloads.transfer import Fault, Part, receive
from convertkit.errors import StoreError, UnavailableError, UsageError
from convertkit.storage.files import FileLock, home, sha256_file

SCHEMES = ("https", "http", "file")
ATTEMPTS = 4
BACKOFF_SECONDS = 0.5

OnProgress = Callable[[int, int | None], None]


def fetch(
    url: str,
    sha256: str | None,
    size: int | None,
    destination_dir: Path,
    on_progress: OnProgress | None = None,
    *,
    on_wait: Callable[[str], None] | None = None,
    backoff: float = BACKOFF_SECONDS,
) -> Path:
    """Download ``url`` into ``destination_dir`` and return the file; one that is there already is only verified.

    An interrupted download goes on where it stopped: its bytes wait in ``<name>.part``. A file with the wrong
    content is kept as ``<name>.rejected``, never under its own name.

    Args:
        url: https, http or file; its last part names the file, with anything unusual replaced by ``_``.
        sha256: the expected sha256, lower or upper case, or its first 8 digits or more; None where nobody knows it yet.
            Then only what one version of the server's file has given counts as one file.
        size: the expected size in bytes; None when unknown.
        destination_dir: made when missing; nothing is written outside of it.
        on_progress: called with the bytes present and the total, None while unknown.
        on_wait: called once with a phrase when another process downloads the same file.
        backoff: seconds before the second attempt; each further one waits twice as long.

    Raises:
        UsageError: the URL's scheme is not allowed or it names no file; the sha256 is none.
        UnavailableError: the server cannot be reached, has no such file, or has another one.
        StoreError: the file cannot be written.
    """
    wanted = _Wanted(
        url, "" if sha256 is None else _checked_digest(sha256), size, Path(destination_dir) / file_name(url)
    )
    try:
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(wanted.beside(".lock"), on_wait=on_wait):
            _obtain(wanted, on_progress, backoff)
    except OSError as error:
        hint = "check the place and its free space, then run this again to go on"
        raise StoreError(f"{wanted.path}: cannot be written: {error.strerror or error}", hint=hint) from error
    if on_progress is not None:
        total = wanted.path.stat().st_size
        on_progress(total, total)
    return wanted.path


def downloads_directory() -> Path:
    """Where ``convertkit fetch`` puts what it downloads."""
    return home() / "downloads"


def file_name(url: str) -> str:
    """Return the name a URL's file gets: its last path component, made of letters, digits and ``._+-``.

    Raises:
        UsageError: the scheme is not allowed, or the URL names no file.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise UsageError(f"{url}: cannot download from here", hint="use " + ", ".join(SCHEMES))
    name = urllib.parse.unquote(parts.path).rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", name).lstrip(".")[-200:]
    if not name:
        raise UsageError(f"{url}: names no file", hint="give the URL of a file")
    return name


@dataclass(frozen=True)
class _Wanted:
    url: str
    sha256: str
    size: int | None
    path: Path

    def beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def reject(self, path: Path) -> Path:
        """Keep a wrong file under a name nobody takes for the right one."""
        return path.replace(self.beside(".rejected"))

    def mismatch(self, path: Path) -> str:
        """Say how a file differs from what is wanted; empty when it does not."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"{size} bytes instead of {self.size}"
        digest = sha256_file(path)
        return (
            ""
            if digest.startswith(self.sha256)
            else f"sha256 {digest[:16]}... instead of {self.sha256[:16]}..."
        )


def _checked_digest(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8,64}", sha256):
        raise UsageError(
            f"{sha256!r} is no sha256", hint="give 64 hex digits, or the first 8 or more of them"
        )
    return sha256.lower()


def _obtain(wanted: _Wanted, on_progress: OnProgress | None, backoff: float) -> None:
    mismatch = ""
    if wanted.path.is_file():
        mismatch = wanted.mismatch(wanted.path)
        if not mismatch:
            # what is left of a download that was killed at its very end
            Part(wanted.beside(".part")).discard()
            return
        wanted.reject(wanted.path)
    try:
        _download(wanted, on_progress, backoff)
    except UnavailableError as error:
        if not mismatch:
            raise
        before = f"what was there had {mismatch} and is now {wanted.beside('.rejected').name}"
        raise UnavailableError(f"{error.message}; {before}", hint=error.hint) from error


def _download(wanted: _Wanted, on_progress: OnProgress | None, backoff: float) -> None:
    part = Part(wanted.beside(".part"))
    resumed = _transfer(wanted, part, on_progress, backoff)
    mismatch = wanted.mismatch(part.path)
    if mismatch and resumed:
        # The file may have changed between the two halves: only a download in one piece proves anything.
        part.discard()
        _transfer(wanted, part, on_progress, backoff)
        mismatch = wanted.mismatch(part.path)
    if mismatch:
        rejected = wanted.reject(part.path)
        part.discard()
        raise UnavailableError(
            f"{wanted.url}: the server has another file: {mismatch}",
            hint=f"it is kept as {rejected}; ask the file's publisher which sha256 and size are right",
        )
    part.finish(wanted.path)


def _transfer(wanted: _Wanted, part: Part, on_progress: OnProgress | None, backoff: float) -> bool:
    """Bring ``part`` to its full length; return whether it consists of more than one piece."""
    resumed = part.size > 0
    attempt = 0
    while True:
        if not (wanted.sha256 or part.tag):
            part.discard()  # nothing could tell that the rest is of the same file
        before = part.size
        try:
            receive(wanted.url, part, wanted.size, on_progress)
        except Fault as fault:
            # Whoever makes headway may fail as often as it likes.
            attempt = attempt + 1 if part.size <= before else 1
            if not fault.transient or attempt >= ATTEMPTS:
                raise _unavailable(wanted, fault) from fault
            time.sleep(backoff * 2 ** (attempt - 1))
            resumed = True
        else:
            return resumed


def _unavailable(wanted: _Wanted, fault: Fault) -> UnavailableError:
    return UnavailableError(
        f"{wanted.url}: cannot be downloaded: {fault}",
        hint=f"run this again when the network is back, or place the file by hand at {wanted.path}",
    )
