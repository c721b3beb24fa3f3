"""The two streams of a command: one JSON document on standard output where it was asked for, notes on the other."""

from __future__ import annotations

import json
import sys
from typing import Any

from convertkit.cli import volume
from convertkit.errors import shortened, visible

_answered = False


def begin() -> None:
    """Nothing has been printed yet, and nobody has asked for more or less than usual."""
    global _answered
    _answered = False
    volume.set_volume()


def answered() -> bool:
    """Whether a JSON document is on standard output: a second one would make both unreadable."""
    return _answered


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    global _answered
    print(json_text(value))
    _answered = True


def json_text(value: Any) -> str:
    """Indented JSON; floats as they are, records by their fields, paths as text."""
    import msgspec

    try:
        return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
    except UnicodeEncodeError:  # the name of a file that is no text: JSON can say it in escapes
        return json.dumps(msgspec.to_builtins(value, enc_hook=str), indent=2)


def note(text: str) -> None:
    """One line on standard error, over a moving one where there is such; nothing with ``--quiet``."""
    if volume.is_quiet():
        return
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{shortened(visible(text))}", file=sys.stderr, flush=True)
