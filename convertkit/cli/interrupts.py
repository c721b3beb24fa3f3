"""Ctrl-C: an error that ends a command, and is told from what libraries make of it."""

from __future__ import annotations

import signal
import time

SAME_SECONDS = 1.0
"""A second Ctrl-C within this time is the first one: it came to the whole group, and from the guard once more."""

_interrupted = 0.0


def interruptible() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt, unless whoever started us wants none of it."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def interrupted() -> bool:
    """Whether there was a Ctrl-C: a library may have made another error of it."""
    return _interrupted > 0


def _interrupt(*_: object) -> None:
    global _interrupted
    before, _interrupted = _interrupted, time.monotonic()
    if _interrupted - before > SAME_SECONDS:
        raise KeyboardInterrupt
