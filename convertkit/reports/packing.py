"""What a report of a fault has to carry, and nothing that is nobody's business."""

from __future__ import annotations

import contextlib
import getpass
import io
import os
import re
import socket
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from convertkit.plugins.diagnosis import Diagnosis
from convertkit.reports.versions import versions
from convertkit.storage.failures import failures_directory
from convertkit.storage.files import atomic_write

PREFIXES = ("CONVERTKIT_", "OMP_", "ORT_", "OPENBLAS_", "MKL_", "PYTHON")
"""Of the environment variables that are packed; no other is looked at."""
TEXTS = (".json", ".log", ".txt", ".sh", ".yaml")
"""Kinds of files that are packed of a failure: neither graphs nor arrays, which are the user's."""
LARGEST = 1 << 20
"""Bytes of a file that is packed whole; of a longer one the end is, where the fault is."""
MOST_FAILURES = 10

SECRET = re.compile(
    r"(?i)((?:token|passw(?:or)?d|secret|api[_-]?key|authorization)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;]+"
)
ACCOUNT = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass
class Packed:
    """What went into a file: names within it, and what was left out with the reason."""

    path: Path
    files: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def pack(path: Path, findings: Iterable[Diagnosis]) -> Packed:
    """Writes a zip file of the doctor's findings, versions, settings, and the texts of the last failures.

    Home directory, user and host are replaced by ``~``, ``USER`` and ``HOST``; what stands behind a word such as
    ``token``, and accounts in addresses, by ``***``.

    Raises:
        StoreError: it cannot be written.
    """
    packed, plain, data = Packed(path), _Plain(), io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (*_facts(findings), *_failures(packed)):
            archive.writestr(name, plain(text))
            packed.files.append(name)
    atomic_write(path, data.getvalue())
    return packed


def _facts(findings: Iterable[Diagnosis]) -> Iterator[tuple[str, str]]:
    installed = {item.metadata["Name"]: item.version for item in distributions()}
    others = dict(sorted(installed.items(), key=lambda item: item[0].lower()))
    here = {**msgspec.to_builtins(versions()), "distributions": others}
    settings = {name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIXES)}
    for name, value in (("doctor", list(findings)), ("versions", here), ("settings", settings)):
        yield f"{name}.json", msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()


def _failures(packed: Packed) -> Iterator[tuple[str, str]]:
    """The texts of the newest ones."""
    directory = failures_directory()
    failures = [path for path in directory.glob("*") if path.is_dir() and not path.is_symlink()]
    newest = sorted(failures, key=lambda path: path.stat().st_mtime, reverse=True)
    for failure in newest[MOST_FAILURES:]:
        packed.left_out[failure.name] = f"only the last {MOST_FAILURES} are packed"
    for failure in newest[:MOST_FAILURES]:
        for file in sorted(failure.iterdir()):
            name = f"failures/{failure.name}/{file.name}"
            if file.suffix not in TEXTS or file.is_symlink() or not file.is_file():
                packed.left_out[name] = "not a text"
                continue
            yield name, _end_of(file)


def _end_of(file: Path) -> str:
    with file.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - LARGEST))
        text = stream.read().decode(errors="replace")
    return text if size <= LARGEST else f"... the first {size - LARGEST} bytes are left out\n{text}"


class _Plain:
    """Takes out of a text what says whose it is."""

    def __init__(self) -> None:
        self._words = {str(Path.home()): "~", socket.gethostname(): "HOST"}
        with contextlib.suppress(OSError, KeyError):  # a user without a name
            self._words[getpass.getuser()] = "USER"
        self._words.pop("root", None)  # says nothing, and stands in many words

    def __call__(self, text: str) -> str:
        for word in sorted(filter(None, self._words), key=len, reverse=True):
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", self._words[word], text)
        return ACCOUNT.sub("***@", SECRET.sub(r"\1***", text))
