"""What the cache takes on disk, and what of it may go: everything in the store can be made again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convertkit.errors import ConvertkitError, UsageError
from convertkit.storage.failures import failures_directory
from convertkit.storage.files import clean_leftovers, home
from convertkit.storage.locks import locked_now
from convertkit.storage.reading import own_file
from convertkit.storage.temporary import discard, temporary_place

VARIABLE = "CONVERTKIT_STORE_SIZE"
DEFAULT = "20GB"
"""What the store may grow to; a build of r50 takes 0.4 GB the first time and shares its weights with the next."""

YOUNG_SECONDS = 3600.0
"""Steps used within this time are not removed: a build that runs now may count on them."""

ROOMS = {
    "store": "finished steps of builds, made again where they are needed",
    "datasets": "drawn photos, made again where they are needed",
    "journals": "photos of verifications that were cut off, which go on with them",
    "failures": "what is left of failed child processes, to see them again",
    "downloads": "checkpoints and datasets of convertkit fetch",
    "envs": "export environments; convertkit env remove NAME",
}

OLD_SECONDS = 30 * 86400.0
"""Journals to which nothing was added for this long are not gone on with any more."""

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_WEIGHT = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True)
class Room:
    """A directory of the cache: bytes on disk, and what it is for."""

    name: str
    holds: str
    directory: Path
    bytes: int


def rooms() -> tuple[Room, ...]:
    """The rooms that there are, largest first."""
    places = ((name, holds, home() / name) for name, holds in ROOMS.items())
    found = [Room(name, holds, place, size_of(place)) for name, holds, place in places if place.is_dir()]
    return tuple(sorted(found, key=lambda room: -room.bytes))


def parse_size(text: str, what: str) -> int:
    """Bytes of ``500MB``, ``20GB`` or a plain number.

    Raises:
        UsageError: it is none; ``what`` says where it was given.
    """
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?([KMGT]?B?)", text.strip().upper())
    unit = "" if found is None else found[2].rstrip("B")
    if found is None:
        raise UsageError(f"{what} {text[:60]!r} is no size", hint="write 500MB or 20GB")
    return int(float(found[1]) * _UNITS[unit + "B" if unit else ""])


def store_limit() -> int:
    """Bytes that the store may take: ``CONVERTKIT_STORE_SIZE``, else :data:`DEFAULT`."""
    return parse_size(os.environ.get(VARIABLE) or DEFAULT, VARIABLE)


def prune(most: int | None = None) -> int:
    """Removes leftovers of killed processes, old journals, and from the store what was not used for longest.

    Returns bytes freed.

    Args:
        most: what the store may take; :func:`store_limit` by default.
    """
    before = size_of(home())
    sweep()
    for journal in (home() / "journals").glob("*"):
        with suppress(OSError):
            if journal.stat().st_mtime < time.time() - OLD_SECONDS:
                journal.unlink()
    prune_store(home() / "store", store_limit() if most is None else most)
    return before - size_of(home())


def sweep() -> None:
    """Removes what killed processes have left in ``TMPDIR`` and in the home; what the living work on stays.

    Every command begins with this: the work of a killed one may be done by another, which would not look again.
    """
    with suppress(ConvertkitError, OSError):  # no home: commands that need none run all the same
        store = home() / "store"
        rooms = (failures_directory(), home() / "datasets", store, store / "steps", *store.glob("weights/*"))
        for place in (temporary_place(), home(), *rooms):
            clean_leftovers(place)
        for lock in store.glob("locks/*"):
            with suppress(OSError), locked_now(lock):
                lock.unlink()


def prune_all() -> int:
    """Empties the rooms whose contents are made again where they are needed; returns bytes freed."""
    before = size_of(home())
    for name in ("store", "datasets", "journals", "failures"):
        discard(home() / name)
    sweep()
    return before - size_of(home())


def prune_store(root: Path, most: int) -> None:
    """Removes steps of a store, those used longest ago first, until it takes at most ``most`` bytes."""
    total = size_of(root)
    if total <= most:
        return
    steps = sorted(_entries(root / "steps"))
    young = time.time() - YOUNG_SECONDS
    while steps and total > most and steps[0][0] < young:
        discard(steps.pop(0)[1])
        # A large step is mostly weights, and those may be another's too: only looking again tells.
        _drop_unused_weights(root, young)
        total = size_of(root)


def size_of(directory: Path) -> int:
    """Bytes of all files below a directory; 0 where it is not."""
    total = 0
    for root, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - thousands of files
    return total


def _entries(steps: Path) -> Iterator[tuple[float, Path]]:
    """When each step was last used, and where it lies."""
    for step in steps.iterdir() if steps.is_dir() else ():
        with suppress(OSError):
            yield max(item.stat().st_mtime for item in (step, *step.glob("seal.json"))), step


def _drop_unused_weights(root: Path, young: float) -> None:
    used = {
        name for graph in root.glob("steps/*/graph.onnx") for name in _WEIGHT.findall(own_file(graph) or b"")
    }
    for weight in root.glob("weights/*/*"):
        with suppress(OSError):
            if weight.name.encode() not in used and weight.stat().st_mtime < young:
                weight.unlink()
