"""Everything that is wrong with a dataset, said at once."""

from __future__ import annotations

from collections.abc import Sequence

from convertkit.errors import SpecError
from convertkit.storage.urls import Where

SHOWN = 20
"""Faults that are listed; of the others only the number is said."""

NAMED = 5
"""Names that a line lists."""

LETTERS = 120
"""Letters of a value that are quoted."""


def refuse(path: Where, faults: Sequence[str]) -> None:
    """Raises one error for all faults of a dataset; of several the first are listed before the line.

    Raises:
        SpecError: there is a fault.
    """
    if not faults:
        return
    if len(faults) == 1:
        raise SpecError(f"{path}: {faults[0]}")
    more = f"\n... and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    error = SpecError(f"{path}: {len(faults)} faults, the first is {faults[0]}")
    error.details = "\n".join(faults[:SHOWN]) + more
    raise error


def quoted(value: str) -> str:
    """A value from a stranger's file, cut to what a line can hold; of a long one both ends.

    >>> quoted("cat.png")
    "'cat.png'"
    """
    return repr(value if len(value) <= LETTERS else f"{value[: LETTERS // 2]}...{value[-LETTERS // 2 :]}")


def few(names: Sequence[str], shown: int = NAMED) -> str:
    """The first names, and how many more there are."""
    more = f", and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
