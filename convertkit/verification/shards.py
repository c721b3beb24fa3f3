"""A part of the photos: every n-th, from the i-th on, so that each part is like the whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convertkit.errors import UsageError

LAUNCHERS = {"torchrun": ("RANK", "WORLD_SIZE"), "slurm": ("SLURM_PROCID", "SLURM_NTASKS")}
"""The variables by which a process knows its number, from 0, and how many there are."""

_TEXT = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True)
class Shard:
    """The ``number``-th of ``count`` parts, from 1."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def directory(self) -> str:
        """Its name below the directory of results: every shard may be given the same."""
        return f"shard-{self.number}-of-{self.count}"

    @property
    def part(self) -> slice:
        """Which items of a list are in it."""
        return slice(self.number - 1, None, self.count)


WHOLE = Shard()


def chosen_shard(text: str | None, environment: Mapping[str, str]) -> tuple[Shard, str]:
    """The shard that was asked for, and what made it so where nobody asked.

    Args:
        text: of ``--shard``; None leaves it to the variables of torchrun and slurm, ``1/1`` is all photos in any case.

    Raises:
        UsageError: the text is no shard, or it and the variables, or the variables themselves, contradict each other.
    """
    told = {said: shard for names in LAUNCHERS.values() for said, shard in _told(*names, environment).items()}
    if text is not None:
        asked = _parsed(text)
        other = next((said for said, shard in told.items() if shard != asked), None)
        if other is not None and asked != WHOLE and asked not in told.values():
            raise UsageError(
                f"--shard {text}, but {other} makes this shard {told[other]}", hint="leave --shard out"
            )
        return asked, ""
    if len(set(told.values())) > 1:
        (first, one), (second, two) = list(told.items())[:2]
        raise UsageError(
            f"{first} makes this shard {one}, {second} shard {two}", hint="say which with --shard I/N"
        )
    said, shard = next(iter(told.items()), ("", WHOLE))
    return shard, said


def _parsed(text: str) -> Shard:
    found = _TEXT.fullmatch(text.strip())
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise UsageError(f"--shard {text[:60]!r} is no shard", hint="I/N with I from 1 to N, like 2/8")
    return Shard(number, count)


def _told(rank: str, size: str, environment: Mapping[str, str]) -> dict[str, Shard]:
    """The shard of one launcher by what it says; nothing where it did not start us, or started one process."""
    given: dict[str, Any] = {name: environment[name] for name in (rank, size) if environment.get(name)}
    if not given or (rank not in given and size.startswith("SLURM")):  # an allocation, but no task of it
        return {}
    said = " and ".join(f"{name}={value}" for name, value in given.items())
    try:
        number, count = int(given[rank]), int(given[size])
    except (KeyError, ValueError):
        raise UsageError(
            f"{said}: no shard without a number in both {rank} and {size}", hint="give --shard I/N"
        ) from None
    if not 0 <= number < count:
        raise UsageError(f"{said}: there is no such process", hint="give --shard I/N")
    return {said: Shard(number + 1, count)} if count > 1 else {}
