"""What an interrupted preprocessing has finished: one line per photo, and a file is believed only while intact."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from convertkit.detection.types import Placement
from convertkit.errors import UsageError
from convertkit.storage.files import TEMPORARY, atomic_write, sha256_file
from convertkit.storage.journal import Appender, line_of, lines_of, record_in

NAME = ".convertkit-journal.jsonl"


class FileState(Struct, frozen=True):
    """A file as it was left: size in bytes, time of the last change in ns, sha256."""

    bytes: int
    changed: int
    sha256: str


class Done(Struct, frozen=True):
    """One finished photo: under which settings, from which bytes, its files by input, and since which boot."""

    boot: str
    key: str
    stem: str
    source: str
    files: dict[str, FileState]
    placement: Placement | None


class Journal:
    """The journal of one directory, open for appending inside a ``with`` block.

    Args:
        root: the directory of prepared files.
        key: stands for the settings; what was made under others is not believed.
    """

    def __init__(self, root: Path, key: str) -> None:
        self._path, self._key = root / NAME, key
        self._done = _read(self._path)
        self._file = Appender(self._path)

    def __enter__(self) -> Journal:
        atomic_write(self._path, (line_of(msgspec.json.encode(done)) for done in self._done.values()))
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def intact(self, stem: str, source: str, paths: Mapping[str, Path]) -> Done | None:
        """What is known of a photo whose files need not be made again; None where they must be.

        A file of unchanged size and time is believed as long as the machine runs that it was written on: nobody
        waited for the disk. After that, and where the time differs (it was copied), its hash decides.
        """
        done = self._done.get(stem)
        if done is None or (done.key, done.source) != (self._key, source) or set(done.files) != set(paths):
            return None
        here = boot()
        if (
            here
            and done.boot == here
            and all(_unchanged(path, done.files[name]) for name, path in paths.items())
        ):
            return done
        if not all(_same(path, done.files[name]) for name, path in paths.items()):
            return None
        files = {name: state(path, done.files[name].sha256) for name, path in paths.items()}
        return msgspec.structs.replace(done, boot=here, files=files)

    def add(self, done: Done) -> None:
        """Appends one finished photo, unless that is known; a line that a crash cuts off is ignored by the next reader.

        Raises:
            StoreError: the disk is full or gone.
        """
        if self._done.get(done.stem) is done:
            return
        self._file.add(msgspec.json.encode(done))
        self._done[done.stem] = done


def refuse_foreign(root: Path, record: str) -> None:
    """Only an empty directory or one of ours is filled: nobody's own files are replaced.

    Raises:
        UsageError: something is there, but neither a journal nor a record.
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"--output {root} is no directory")
    if not root.is_dir() or (root / NAME).is_file() or (root / record).is_file():
        return
    other = next((path for path in sorted(root.iterdir()) if not path.name.endswith(TEMPORARY)), None)
    if other is not None:
        raise UsageError(
            f"--output {root}: {other.name} is there, and not from convertkit",
            hint="choose an empty directory",
        )


def state(path: Path, sha256: str) -> FileState:
    """The state of a file that was just written."""
    found = path.stat()
    return FileState(found.st_size, found.st_mtime_ns, sha256)


def _read(path: Path) -> dict[str, Done]:
    done: dict[str, Done] = {}
    decoder = msgspec.json.Decoder(Done)
    with contextlib.suppress(OSError, UsageError):
        for _, line in lines_of(path):
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # of another version
                entry = decoder.decode(record_in(line) or b"")
                done[entry.stem] = entry
    return done


def boot() -> str:
    """Names the time since this machine was started; empty where the kernel has no name for it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _unchanged(path: Path, known: FileState) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (known.bytes, known.changed)


def _same(path: Path, known: FileState) -> bool:
    try:
        return path.stat().st_size == known.bytes and sha256_file(path) == known.sha256
    except OSError:
        return False
