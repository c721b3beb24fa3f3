"""How close values come to the limits of fp16, in the page of a verification."""

from __future__ import annotations

from convertkit.precision.ranges import Ranges, TensorRange
from convertkit.reports.page.blocks import Bars, Fold, Table, Words
from convertkit.reports.page.ranges import WORST, range_blocks

LIMIT = 65504.0


def tensor(largest: float | None, overflow: float = 0.0) -> TensorRange:
    return TensorRange("a", "n", "Mul", "pass p", "result", largest, 4, overflow, 0.0)


def test_tensors_are_counted_by_their_share_of_the_limit() -> None:
    found = Ranges(
        8, tuple(map(tensor, (LIMIT, 0.1 * LIMIT + 1, 0.1 * LIMIT, 0.01 * LIMIT, 0.001 * LIMIT, 0.0)))
    )

    said, bars, _ = range_blocks(found)

    assert isinstance(said, Words) and said.tone == "good" and "none of 6 tensors" in said.text
    assert isinstance(bars, Bars) and bars.values == (0, 2, 1, 1, 2)


def test_what_overflows_or_is_not_finite_is_beyond() -> None:
    said, bars, _ = range_blocks(Ranges(8, (tensor(None, 1.0), tensor(7e4, 0.5), tensor(1.0))))

    assert isinstance(said, Words) and said.tone == "bad" and "2 of 3 tensors" in said.text
    assert isinstance(bars, Bars) and bars.values == (2, 0, 0, 0, 1)


def test_the_worst_are_listed_and_what_was_not_measured_is_said() -> None:
    *_, fold, rest = range_blocks(Ranges(1, (tensor(2.0),) * (WORST + 1), unknown=2, inside=3))

    assert isinstance(fold, Fold) and isinstance(fold.blocks[0], Table)
    assert fold.blocks[0].rows == (("a", "Mul n", "pass p", "2", "-", "-", ""),) * WORST
    assert isinstance(rest, Words)
    assert "2 tensors whose type no inference tells; what 3 nodes inside" in rest.text


def test_a_page_without_ranges_says_why() -> None:
    (said,) = range_blocks("no graph ran here")

    assert isinstance(said, Words) and said.text.endswith("was not measured: no graph ran here")
