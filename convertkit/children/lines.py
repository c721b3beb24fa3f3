"""The two output streams of a child process, cut into lines and handed on as they come."""

from __future__ import annotations

import collections
import json
import re
from typing import IO, TYPE_CHECKING, Any

from convertkit.children.child import FloodError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

KEPT_LINES, KEPT_LETTERS = 10_000, 1 << 24
MAX_LINE = 1 << 20
MOST_PRINTED = 1 << 30
"""Bytes after which a child is taken for one that prints for ever; a talkative compiler's log has some hundred MB."""

_TELLING = re.compile(r"error|exception|fatal|killed|no space left|cannot allocate", re.IGNORECASE)
_NOISE = re.compile(r"^\W*$|^\s*(\[notice\]|note: |hint: )|This error originates from a subprocess")


class LineReader:
    """Cuts the two streams into lines and hands them on: log, memory, callbacks."""

    def __init__(
        self,
        log: Path | None,
        on_line: Callable[[str], None] | None,
        on_event: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        self._log, self._on_line, self._on_event = log, on_line, on_event
        self._stream: IO[bytes] | None = None
        self._rest = {"stdout": b"", "stderr": b""}
        self._lines: dict[str, collections.deque[str]] = {
            stream: collections.deque() for stream in self._rest
        }
        self._letters = dict.fromkeys(self._rest, 0)
        self._printed = 0

    def __enter__(self) -> LineReader:
        if self._log is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._log.open("ab", buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on_line = self._on_event = None
        for stream in self._rest:
            self.take(stream, b"")
        if self._stream is not None:
            self._stream.close()

    def take(self, stream: str, data: bytes) -> None:
        """Accept what a stream gave; empty ``data`` is its end, which also ends its last line.

        Raises:
            FloodError: it is more than :data:`MOST_PRINTED`.
        """
        self._printed += len(data)
        if data and self._printed > MOST_PRINTED:
            raise FloodError
        lines = (self._rest[stream] + data).split(b"\n")
        self._rest[stream] = lines.pop()
        if self._rest[stream] and (not data or len(self._rest[stream]) > MAX_LINE):
            lines.append(self._rest[stream])
            self._rest[stream] = b""
        for line in lines:
            self._line(stream, line)

    def _line(self, stream: str, raw: bytes) -> None:
        if self._stream is not None:
            self._stream.write(raw + b"\n")
        # A progress bar redraws its line with carriage returns: only the last drawing counts.
        line = raw.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
        event = _event(line) if stream == "stdout" and self._on_event is not None else None
        if event is not None and self._on_event is not None:
            self._on_event(event)
            return
        self._keep(stream, line)
        if self._on_line is not None:
            self._on_line(line)

    def _keep(self, stream: str, line: str) -> None:
        lines = self._lines[stream]
        lines.append(line)
        self._letters[stream] += len(line)
        while len(lines) > KEPT_LINES or self._letters[stream] > KEPT_LETTERS:
            self._letters[stream] -= len(lines.popleft())

    def text(self, stream: str) -> str:
        return "".join(line + "\n" for line in self._lines[stream])

    def last_line(self) -> str:
        """The line that most likely says what went wrong: the last that speaks of an error, else the last."""
        tail = [*self._lines["stdout"]][-50:] + [*self._lines["stderr"]][-50:]
        useful = [line.strip() for line in tail if not _NOISE.search(line)]
        telling = [line for line in useful if _TELLING.search(line)]
        return (telling or useful or [""])[-1][:300]


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("event"), str) else None
