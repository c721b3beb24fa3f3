"""What convertkit keeps on this machine, and how to have the room back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from convertkit.api.commands.asking import refuse_both
from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.conversion import pruning
from convertkit.conversion.pruning import Room
from convertkit.storage.files import home, megabytes


@dataclass(frozen=True, repr=False)
class Rooms(Shown):
    """``cache list``."""

    home: str
    rooms: tuple[Room, ...]

    def page(self) -> Iterator[Block]:
        if not self.rooms:
            yield f"nothing is kept in {self.home}"
            return
        rows = [[room.name, megabytes(room.bytes), room.holds] for room in self.rooms]
        yield Table(["room", "size", "holds"], rows, right=(1,))
        yield f"in {self.home}"


@dataclass(frozen=True, repr=False)
class CacheSize(Shown):
    """``cache size``."""

    home: str
    bytes: int

    def page(self) -> Iterator[Block]:
        yield megabytes(self.bytes)


@dataclass(frozen=True, repr=False)
class Freed(Shown):
    """``cache prune``, in bytes."""

    freed: int

    def page(self) -> Iterator[Block]:
        yield f"freed {megabytes(self.freed)}"


def rooms() -> Rooms:
    """The rooms of the cache, what they hold and how large they are."""
    return Rooms(str(home()), pruning.rooms())


def size() -> CacheSize:
    """How much room the cache takes, export environments included."""
    return CacheSize(str(home()), pruning.size_of(home()))


def prune(to: str | None = None, *, everything: bool = False) -> Freed:
    """Removes leftovers, and steps beyond the size ``to``, or all that can be made again."""
    refuse_both("--all", "--to", everything, to)
    most = None if to is None else pruning.parse_size(to, "--to")
    return Freed(pruning.prune_all() if everything else pruning.prune(most))


def tidy() -> None:
    """What every other command begins with."""
    pruning.sweep()
