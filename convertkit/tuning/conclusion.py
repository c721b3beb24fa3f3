"""What a sweep found, and the sentence about how little is known."""

from __future__ import annotations

from msgspec import Struct

from convertkit.datasets.subset import Subset
from convertkit.scoring.intervals import FIRST_LOOK
from convertkit.tuning.front import Point, difference_text

KNOWN_OF_SPEED = (
    "images/s are an upper bound by peak figures (roofline), node by node, and fused where all is fused that the "
    "compiler is said to fuse: nothing was run on the chip, and copies and the host are not in it"
)


class Tuning(Struct, frozen=True):
    """What a sweep of levers found.

    Attributes:
        levers: by name the words of their choices, as it is first.
        left_out: levers and choices that were not swept, and why.
        photos: on which accuracy was measured; 0 where only prices were asked for.
        subset: which choice of photos, where not all were asked for.
        allowed: the drop of AP that a choice may have; null where it was not measured.
        chosen: number of the point that is emitted; null where none was chosen.
        budget_ended: whether more points would have been looked at.
        notes: what a reader of the accuracy has to know of annotations and classes.
        file: where the chosen one was written to, null where nowhere. options: what a build of it has to be told beside
            the file, as it is typed.
    """

    model: str
    variant: str
    target: str
    levers: dict[str, tuple[str, ...]]
    left_out: dict[str, str]
    points: tuple[Point, ...]
    photos: int
    subset: Subset | None
    allowed: float | None
    budget_ended: bool
    chosen: int | None = None
    file: str | None = None
    options: str = ""
    notes: tuple[str, ...] = ()

    @property
    def guess(self) -> str:
        """What makes the intervals doubtful; empty where nothing does."""
        if not 0 < self.photos < FIRST_LOOK:
            return ""
        return f"{self.photos} photos are few: intervals of fewer than {FIRST_LOOK} are a guess, and so is the choice"

    @property
    def doubts(self) -> tuple[str, ...]:
        """What a reader of the points has to know of them, a line each."""
        ended = "the budget ended before all points were looked at; a larger --budget goes on from here"
        return (*filter(None, [self.guess]), *self.notes, *([ended] if self.budget_ended else []))

    @property
    def swept(self) -> list[Point]:
        """The points, the fastest first."""
        return sorted(self.points, key=lambda one: (-one.price.images_per_second, one.number))

    @property
    def columns(self) -> tuple[str, ...]:
        """Of a table of points, by :func:`cells`."""
        accuracy = (name for task in self.points[0].scores for name in (f"{task} AP", "Beside point 1"))
        return ("Point", "Images/s", "Fused", "ms", *accuracy, "Front")

    @property
    def numbers(self) -> frozenset[int]:
        """Which columns are numbers, the point's own in front of the others."""
        return frozenset(range(2, len(self.columns)))


def cells(point: Point) -> tuple[str, ...]:
    """A point in words."""
    price = point.price
    more = "" if price.complete else "at most "
    accuracy = (
        text
        for task, score in point.scores.items()
        for text in (f"{score:.4f}", "" if point.number == 1 else difference_text(point.differences[task]))
    )
    noise = ", within noise of the faster one" if point.within_noise else ""
    return (
        point.name,
        f"{more}{price.images_per_second:.1f}",
        "-" if price.fused is None else f"{more}{price.fused:.1f}",
        " / ".join(f"{value:.2f}" for value in price.milliseconds.values()),
        *accuracy,
        f"front{noise}" if point.front else "",
    )
