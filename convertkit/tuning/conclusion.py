"""What a sweep found, and the sentence about how little is known."""

from __future__ import annotations

from msgspec import Struct

from convertkit.datasets.subset import Subset
from convertkit.tuning.front import Point

KNOWN_OF_SPEED = (
    "images/s are an upper bound by peak figures (roofline): nothing was run on the chip, and copies, the host and "
    "what the compiler fuses are not in it"
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
        file: where the chosen one was written to, null where nowhere.
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

    @property
    def swept(self) -> list[Point]:
        """The points, the fastest first."""
        return sorted(self.points, key=lambda one: (-one.price.images_per_second, one.number))
