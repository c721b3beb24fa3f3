"""What a sweep of levers found, as it is shown."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.tuning.conclusion import KNOWN_OF_SPEED, Tuning, cells
from convertkit.tuning.front import Point, difference_text


class Tuned(Shown, Tuning, frozen=True):
    """A sweep that shows itself."""

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
        rows = [
            [f"{'*' if one.number == self.chosen else ''}{one.number}", *cells(one)] for one in self.swept
        ]
        return Table(["", *self.columns], rows, right=sorted(self.numbers))

    def _remarks(self) -> Iterator[Block]:
        if self.allowed is not None:
            yield (
                f"difference: AP beside point 1 on the same photos, with its 95 % interval; * is the choice, of points "
                f"whose intervals end within a drop of {self.allowed:g} the fastest, unless one was named"
            )
        yield from self.doubts
        yield KNOWN_OF_SPEED
        if same := [one for one in self.points if one.measured not in (None, one.number)]:
            pairs = ", ".join(f"{one.number} as {one.measured}" for one in same)
            yield f"not measured again, as what they compute is the same: {pairs}"
        for name, why in self.left_out.items():
            yield f"left out: {name}: {why}"
        if self.file is not None:
            words = (
                f"convertkit build {self.model} --variant {self.file} --target {self.target} {self.options}"
            )
            yield f"written to {self.file}: {words.rstrip()}"


def evidence(found: Tuning, point: Point, options: str) -> Iterator[str]:
    """What is known of a point, for who reviews its file.

    Args:
        options: what a build has to be told as well.
    """
    first, price = found.points[0], point.price
    yield (
        f"by convertkit tune: point {point.number} of {found.model} {found.variant} on {found.target}: {point.name}"
    )
    yield (
        f"at most {price.images_per_second:.1f} images/s by the roofline, "
        f"{first.price.images_per_second:.1f} as it is; never seen on a chip"
    )
    for task in point.scores:
        beside = "" if point.number == 1 else f", beside as it is {difference_text(point.differences[task])}"
        yield f"{task} AP {point.scores[task]:.4f}{beside}, on {found.photos} photos"
    if found.guess:
        yield found.guess
    if not point.scores:
        yield "accuracy was not measured"
    if options:
        yield f"to be built as it was swept, with {options}"
