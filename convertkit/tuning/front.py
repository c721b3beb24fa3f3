"""Which points are worth taking: none of the others is as fast and loses less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from convertkit.scoring.intervals import Estimate

Differences: TypeAlias = dict[str, Estimate]
"""By task, how much more AP a point has than another on the same photos."""

Setting: TypeAlias = tuple[int, ...]
"""Of each lever, the place of its choice."""


class Price(Struct, frozen=True):
    """A bound of speed by peak figures (roofline), each photo by its own profile.

    Attributes:
        images_per_second: node by node, nothing fused, every tensor through memory.
        fused: with all fused that the compiler is said to fuse; null where nothing is known of it.
        least: with the fewest seconds that no schedule can beat.
        milliseconds: of a run, by profile; by an empty name where there is one size.
        complete: whether every node is counted; else it is faster than can be.
    """

    images_per_second: float
    fused: float | None
    least: float
    milliseconds: dict[str, float]
    complete: bool = True


class Point(Struct, frozen=True):
    """One way to set all levers.

    Attributes:
        number: in the order of the sweep; 1 is the model as it is.
        settings: word of every lever. changed: those that are not as they are.
        graphs: sha256 of each profile's target graph.
        measured: the number of the point whose accuracy this has, which differs in what changes no meaning; null where
            accuracy was not measured.
        scores: AP by task.
        differences: beside the first point, with 95 % intervals.
        front: no other point is as fast and loses less.
        within_noise: of the next faster one of the front: its accuracy is not told apart from this one's.
    """

    number: int
    settings: dict[str, str]
    changed: tuple[str, ...]
    graphs: tuple[str, ...]
    price: Price
    measured: int | None = None
    scores: dict[str, float] = {}
    differences: Differences = {}
    front: bool = False
    within_noise: bool | None = None

    @property
    def name(self) -> str:
        """For people."""
        return ", ".join(f"{lever}={self.settings[lever]}" for lever in self.changed) or "as it is"

    @property
    def worst(self) -> Estimate | None:
        """The difference of the task that loses most; None where nothing was measured."""
        return min(self.differences.values(), key=lambda one: one.value, default=None)

    @property
    def loss(self) -> float:
        """AP that is lost beside the first point, of the task that loses most; 0 where nothing was measured."""
        return 0.0 if self.worst is None else -self.worst.value


def difference_text(found: Estimate) -> str:
    """``-0.0012 [-0.0040, +0.0016]``"""
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def front_of(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats, the fastest first; of equal ones the first."""
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (-one.price.images_per_second, one.loss, one.number)):
        if not found or point.loss < found[-1].loss:
            found.append(point)
    return found


def chosen(points: Sequence[Point], allowed: float) -> Point:
    """The fastest point of which the 95 % interval of every task ends within the drop that is allowed.

    The first one loses nothing beside itself, so there is always one.
    """
    return next(point for point in front_of([one for one in points if is_within(one, allowed)]))


def is_within(point: Point, allowed: float) -> bool:
    """Whether the photos say that no task loses more; the first point does not, whatever they say."""
    return point.number == 1 or (
        bool(point.differences)
        and all(one.negative.outcome(allowed) == "pass" for one in point.differences.values())
    )
