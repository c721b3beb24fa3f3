"""The smallest part of a row that still shows something (ddmin, Zeller and Hildebrandt 2002, complements only)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def minimize(items: Sequence[T], shows: Callable[[list[T]], bool], go_on: Callable[[], bool]) -> list[T]:
    """Leaves out whatever can be left out.

    Args:
        items: a row that shows it; never asked about itself, and never about no items at all.
        shows: whether a part (in the row's order) still shows it.
        go_on: asked before every trial; False ends the search with what has been reached.

    Returns:
        A part that shows it. Unless ``go_on`` ended the search, no single item can be left out of it.
    """
    kept, size = list(items), max(len(items) // 2, 1)
    while True:
        smaller, complete = _sweep(kept, size, shows, go_on)
        done = not complete or (size == 1 and len(smaller) == len(kept))
        kept, size = smaller, max(size // 2, 1)
        if done:
            return kept


def _sweep(
    items: list[T], size: int, shows: Callable[[list[T]], bool], go_on: Callable[[], bool]
) -> tuple[list[T], bool]:
    """Tries to leave out one chunk of ``size`` after the other; says whether it came to the end."""
    kept, start = items, 0
    while start < len(kept):
        rest = kept[:start] + kept[start + size :]
        if not rest:
            break
        if not go_on():
            return kept, False
        if shows(rest):
            kept = rest
        else:
            start += size
    return kept, True
