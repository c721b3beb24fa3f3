"""The page of a sweep of levers: the front, every point, what was left out, and how little is known."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.reports.page.blocks import Bars, Block, Cell, Dot, Dots, Page, Section, Table, Words
from convertkit.tuning.conclusion import KNOWN_OF_SPEED, Tuning, cells
from convertkit.tuning.front import Point

SPEED, LOSS = "images/s at most", "AP beside point 1"


def tune_page(found: Tuning) -> Page:
    """Of one sweep."""
    photos = f"{found.photos} photos" if found.photos else "was not measured"
    facts = (
        ("Model", f"{found.model} {found.variant} on {found.target}"),
        ("Accuracy", f"{photos}{f': {found.subset}' if found.subset and found.photos else ''}"),
        *((f"Lever {name}", ", ".join(words)) for name, words in found.levers.items()),
    )
    sections = (
        Section("front", "The front", tuple(_front(found))),
        Section("points", "Every point", (_table(found),)),
        Section("left-out", "What is not in it", tuple(_left_out(found))),
    )
    return Page(f"What makes {found.model} faster", _verdict(found), facts, sections)


def _verdict(found: Tuning) -> Cell:
    if found.chosen is None:
        return Cell("priced alone, nothing was chosen", "unsure")
    point = next(one for one in found.points if one.number == found.chosen)
    return Cell(f"point {point.number}, {point.name}: {point.price.images_per_second:.1f} {SPEED}", "unsure")


def _front(found: Tuning) -> Iterator[Block]:
    yield Words(f"How little is known: {KNOWN_OF_SPEED}.", "unsure")
    if not found.photos:
        rows = found.swept
        caption = "A bound of speed by point"
        said = ", ".join(f"{one.number}: {one.price.images_per_second:.1f}" for one in rows)
        names = tuple(f"{one.number} {one.name}" for one in rows)
        yield Bars(
            caption, f"{caption}. {said}", names, tuple(one.price.images_per_second for one in rows), SPEED
        )
        return
    caption = (
        "AP beside the model as it is, of the task that loses most, with 95 % intervals; the front is joined"
    )
    said = ", ".join(f"{dot.name}: {dot.x:.1f} {SPEED}, AP {dot.y:+.4f}" for dot in map(_dot, found.points))
    yield Dots(caption, f"{caption}. {said}", tuple(map(_dot, found.points)), (SPEED, LOSS))


def _dot(point: Point) -> Dot:
    low, high = (
        (0.0, 0.0) if point.worst is None or point.number == 1 else (point.worst.low, point.worst.high)
    )
    return Dot(str(point.number), point.price.images_per_second, -point.loss, low, high, point.front)


def _table(found: Tuning) -> Table:
    rows = tuple(
        (str(one.number), *cells(one), "chosen" if one.number == found.chosen else "") for one in found.swept
    )
    return Table("The fastest first", ("", *found.columns, ""), rows, found.numbers)


def _left_out(found: Tuning) -> Iterator[Block]:
    if found.left_out:
        yield Table("Levers and choices that were not swept", ("What", "Why"), tuple(found.left_out.items()))
    yield from (Words(f"{line[0].upper()}{line[1:]}.", "unsure") for line in found.doubts)
    yield Words(
        "The passes of a point are checked when it is built, and what the chip's arithmetic loses is not in it."
    )
