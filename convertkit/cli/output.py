"""The two streams of a command: one JSON document on standard output where it was asked for, notes on the other."""

from __future__ import annotations

import sys
from typing import Any

from convertkit.api.commands.pages import json_text as json_text
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


def note(text: str) -> None:
    """One line on standard error, over a moving one where there is such; nothing with ``--quiet``."""
    if volume.is_quiet():
        return
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{shortened(visible(text))}", file=sys.stderr, flush=True)
