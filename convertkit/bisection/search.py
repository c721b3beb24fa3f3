"""Binary search for the first bad one of a row, where looking at one is expensive."""

from __future__ import annotations

from collections.abc import Callable


def first_bad(count: int, is_bad: Callable[[int], bool]) -> int | None:
    """The index of a bad one of ``0 .. count - 1`` right after a good one; None where the last one is good.

    What comes before 0 counts as good. Where good and bad alternate, one of the places where it turns bad is found.
    Looks at the last one and then at no more than log2(count) + 1 others, each once.
    """
    if count == 0 or not is_bad(count - 1):
        return None
    good, bad = -1, count - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if is_bad(middle):
            bad = middle
        else:
            good = middle
    return bad
