"""The worker's line to its parent: JSON lines on what was standard output, and nothing else there."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO


class Events:
    """Writes events, one JSON object per line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @classmethod
    def take_stdout(cls) -> Events:
        """Keep standard output for events; whatever libraries print there goes to standard error from now on."""
        sys.stdout.flush()
        private = os.dup(1)
        os.dup2(2, 1)
        return cls(os.fdopen(private, "w", encoding="utf-8"))

    def send(self, event: str, **fields: Any) -> None:
        """Write one event and flush it."""
        self.stream.write(json.dumps({"event": event, **fields}) + "\n")
        self.stream.flush()

    def progress(self, what: str, done: int, total: int) -> None:
        """Say how many of ``total`` steps (or images) are done and which one is next or was last."""
        self.send("progress", what=what, done=done, total=total)

    def error(self, message: str, hint: str, *, place: bool = False) -> None:
        """Say in one line each why the job cannot be done and what to do, and whether a place takes no files."""
        self.send("error", message=" ".join(message.split()), hint=" ".join(hint.split()), place=place)
