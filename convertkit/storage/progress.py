"""How far a long piece of work has come, for whoever shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress display for a title and how much there is, photos or bytes (0: unknown); yields what is told how
much of it is done."""


def no_bar(title: str, total: int) -> contextlib.nullcontext[Callable[[int], None]]:
    """Shows nothing."""
    return contextlib.nullcontext(lambda count: None)
