"""How close the tensors of a graph come to the limits of fp16, on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convertkit.precision.half import LARGEST
from convertkit.precision.ranges import Ranges, TensorRange
from convertkit.reports.page.blocks import Bars, Block, Fold, Table, Words

COLUMNS = ("Tensor", "Made by", "From", "Largest", "Overflow %", "Underflow %", "Spacing px")
NUMBERS = frozenset(range(3, 7))
WORST = 12
"""Tensors in the table."""
STEPS = (("beyond it", 1.0), ("10 to 100 %", 0.1), ("1 to 10 %", 0.01), ("0.1 to 1 %", 0.001))
"""Shares of the largest number of fp16, each with its lower end."""
REST = "less"


def cells(one: TensorRange, cut: Callable[[str], str] = str) -> tuple[str, ...]:
    """A tensor in words, by :data:`COLUMNS`; ``cut`` shortens names."""
    apart = "" if not one.coordinates else "-" if one.spacing_px is None else f"{one.spacing_px:g}"
    made = one.kind if one.kind != "result" else f"{one.op} {cut(one.node)}"
    largest = "not finite" if one.largest is None else f"{one.largest:.4g}"
    shares = _percent(one.overflow), _percent(one.underflow)
    return cut(one.name), made, one.origin or "-", largest, *shares, apart


def range_blocks(found: Ranges | str) -> Iterator[Block]:
    """Of the graph that was built, in fp32 on some of the photos; or why it was not measured."""
    if isinstance(found, str):
        yield Words(f"How close values come to the limits of fp16 was not measured: {found}")
        return
    many, limit = len(found.overflowing), f"{LARGEST:,.0f}"
    yield Words(
        f"The graph of the target in fp32 on {found.photos} photos: {many or 'none'} of {len(found.tensors)} tensors "
        f"go beyond fp16, whose largest number is {limit}.",
        "bad" if many else "good",
    )
    names, counts = (*(name for name, _ in STEPS), REST), _counts(found)
    caption = f"Tensors by their largest magnitude, as a share of {limit}"
    said = ", ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
    yield Bars(caption, f"{caption}. {said}", names, tuple(map(float, counts)), "tensors")
    rows = tuple(cells(one) for one in found.tensors[:WORST])
    caption = "The worst first; spacing is that of fp16 where a coordinate is largest"
    yield Fold(f"The {len(rows)} tensors nearest to a limit", (Table(caption, COLUMNS, rows, NUMBERS),))
    if found.unmeasured:
        yield Words(f"Not measured: {'; '.join(found.unmeasured)}.")


def _counts(found: Ranges) -> list[int]:
    """Tensors in each step, and below all of them; one that is not finite is beyond."""
    counts = [0] * (len(STEPS) + 1)
    for one in found.tensors:
        share = float("inf") if one.overflow or one.largest is None else one.largest / LARGEST
        counts[next((place for place, (_, low) in enumerate(STEPS) if share > low), len(STEPS))] += 1
    return counts


def _percent(share: float) -> str:
    """``-`` for none at all, so that few are not taken for none."""
    return "-" if not share else f"{100 * share:.2g}"
