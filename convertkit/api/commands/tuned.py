"""What a sweep of levers found, as it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.datasets.subset import Subset
from convertkit.tuning.front import Point

KNOWN_OF_SPEED = (
    "images/s are an upper bound by peak figures (roofline): nothing was run on the chip, and copies, the host and "
    "what the compiler fuses are not in it"
)


class Tuned(Shown, Struct, frozen=True):
    """What a sweep found.

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

    def page(self) -> Iterator[Block]:
        judged = (
            f"accuracy on {self.photos} photos" if self.photos else "priced alone, accuracy was not measured"
        )
        yield f"{self.model} {self.variant} on {self.target}, {len(self.points)} points, {judged}"
        yield from (f"a subset: {self.subset}",) if self.subset else ()
        yield ""
        yield self._table()
        yield ""
        yield from self._remarks()

    def _table(self) -> Table:
        tasks = list(self.points[0].scores)
        columns = [
            "",
            "point",
            "images/s",
            "ms",
            *(name for task in tasks for name in (f"{task} AP", "difference")),
        ]
        rows = sorted(self.points, key=lambda one: (-one.price.images_per_second, one.number))
        return Table(
            [*columns, "front"], [self._row(one, tasks) for one in rows], right=range(2, 4 + 2 * len(tasks))
        )

    def _row(self, point: Point, tasks: Sequence[str]) -> list[str]:
        price = point.price
        times = " / ".join(f"{value:.2f}" for value in price.milliseconds.values())
        more = "" if price.complete else "at most "
        figures = [text for task in tasks for text in _accuracy(point, task)]
        noise = ", within noise of the faster one" if point.within_noise else ""
        return [
            f"{'*' if point.number == self.chosen else ''}{point.number}",
            point.name,
            f"{more}{price.images_per_second:.1f}",
            times,
            *figures,
            f"front{noise}" if point.front else "",
        ]

    def _remarks(self) -> Iterator[Block]:
        if self.allowed is not None:
            yield (
                f"difference: AP beside point 1 on the same photos, with its 95 % interval; * is the choice, of points "
                f"whose intervals end within a drop of {self.allowed:g} the fastest, unless one was named"
            )
        yield KNOWN_OF_SPEED
        if same := [one for one in self.points if one.measured not in (None, one.number)]:
            pairs = ", ".join(f"{one.number} as {one.measured}" for one in same)
            yield f"not measured again, as what they compute is the same: {pairs}"
        for name, why in self.left_out.items():
            yield f"left out: {name}: {why}"
        if self.budget_ended:
            yield f"the budget of {len(self.points)} points ended; a larger --budget goes on from here"
        if self.file is not None:
            yield f"written to {self.file}: convertkit build {self.model} --variant {self.file} --target {self.target}"


def evidence(found: Tuned, point: Point, weights: object) -> Iterator[str]:
    """What is known of a point, for who reviews its file."""
    first, price = found.points[0], point.price
    yield (
        f"by convertkit tune: point {point.number} of {found.model} {found.variant} on {found.target}: {point.name}"
    )
    yield (
        f"at most {price.images_per_second:.1f} images/s by the roofline, "
        f"{first.price.images_per_second:.1f} as it is; never seen on a chip"
    )
    for task in point.scores:
        beside = f", beside as it is {difference}" if (difference := _accuracy(point, task)[1]) else ""
        yield f"{task} AP {point.scores[task]:.4f}{beside}, on {found.photos} photos"
    if not point.scores:
        yield "accuracy was not measured"
    if weights is not None:
        yield f"with --weights {weights}"


def _accuracy(point: Point, task: str) -> tuple[str, str]:
    if point.number == 1:
        return f"{point.scores[task]:.4f}", ""
    found = point.differences[task]
    return f"{point.scores[task]:.4f}", f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
