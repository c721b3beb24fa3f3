"""Detections of two graphs as sets: how far they are apart."""

from __future__ import annotations

import hotcoco.mask
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.detection.types import RLE, Detections
from convertkit.errors import GraphError, UsageError
from convertkit.precision.loss import PARTS, Weights, beside, gain, loss_of, photo_loss

HEIGHT, WIDTH = 40, 60


def mask(x1: int, y1: int, x2: int, y2: int) -> RLE:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    pixels[y1:y2, x1:x2] = 1
    return RLE(**hotcoco.mask.encode(pixels))  # type: ignore[typeddict-item]


def found(*rows: tuple[float, float, float, float, float, int], masks: bool = False) -> Detections:
    """Of rows x1, y1, x2, y2, score, label; masks fill their boxes."""
    data = np.array(rows, np.float64).reshape(-1, 6)
    corners = [tuple(map(int, row[:4])) for row in rows] if masks else []
    return Detections(
        data[:, :4].astype(np.float32),
        data[:, 4].astype(np.float32),
        data[:, 5].astype(np.int64),
        tuple(mask(*each) for each in corners) if masks else None,
    )


CAT = (0, 0, 10, 10, 0.5, 0)
DOG = (20, 0, 30, 10, 1.0, 1)

ROWS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(0, 20),
        st.integers(1, 20),
        st.integers(1, 15),
        st.floats(0.0625, 1, width=32),
        st.integers(0, 2),
    ).map(lambda row: (row[0], row[1], row[0] + row[2], row[1] + row[3], row[4], row[5])),
    max_size=6,
)


@given(ROWS, st.booleans(), st.randoms())
def test_the_same_detections_in_any_order_cost_nothing(rows, masks, random) -> None:  # type: ignore[no-untyped-def]
    other = random.sample(rows, len(rows))

    one = photo_loss("a", found(*rows, masks=masks), found(*other, masks=masks))

    assert one.loss == 0 and one.matched == len(rows) and one.lost == one.new == 0


@given(ROWS, ROWS, st.booleans())
def test_it_lies_between_none_and_all_and_does_not_prefer_a_side(first, second, masks) -> None:  # type: ignore[no-untyped-def]
    one, other = found(*first, masks=masks), found(*second, masks=masks)

    here, there = photo_loss("a", one, other), photo_loss("a", other, one)

    assert 0 <= here.loss <= 1 + 1e-9
    assert here.loss == pytest.approx(there.loss, abs=1e-6)
    assert sum(here.parts.values()) == pytest.approx(here.loss)
    assert (here.lost, here.new) == (there.new, there.lost)


def test_without_a_partner_a_detection_counts_by_its_score() -> None:
    lost = photo_loss("a", found(CAT, DOG), found(DOG))
    new = photo_loss("a", found(DOG), found(CAT, DOG))

    assert lost.loss == pytest.approx(0.5 / 1.5) and (lost.matched, lost.lost, lost.new) == (1, 1, 0)
    assert new.loss == pytest.approx(0.5 / 1.5) and (new.matched, new.lost, new.new) == (1, 0, 1)
    assert lost.parts["unmatched"] == lost.loss


def test_another_label_is_another_detection() -> None:
    one = photo_loss("a", found(CAT), found((*CAT[:5], 1)))

    assert one.loss == 1 and (one.lost, one.new) == (1, 1)


def test_the_parts_have_their_weights() -> None:
    near = photo_loss("a", found(DOG), found((20, 0, 30, 8, 0.8, 1)))
    masked = photo_loss("a", found(DOG, masks=True), found((20, 0, 30, 8, 0.8, 1), masks=True))

    assert near.parts == pytest.approx({"unmatched": 0, "score": 0.25 * 0.2, "box": 0.75 * 0.2, "mask": 0})
    expected = {"unmatched": 0, "score": 0.25 * 0.2, "box": 0.5 * 0.2, "mask": 0.25 * 0.2}
    assert masked.parts == pytest.approx(expected)


@pytest.mark.parametrize(("right", "matched"), [(20.0, 1), (20.01, 0)])
def test_partners_have_half_of_their_union_in_common(right: float, matched: int) -> None:
    assert photo_loss("a", found(CAT), found((0, 0, right, 10, 0.5, 0))).matched == matched


def test_what_is_not_finite_is_lost_and_counts_fully() -> None:
    one = photo_loss("a", found(DOG), found((20, 0, np.inf, 10, np.nan, 1)))

    assert one.loss == 1 and (one.matched, one.lost, one.new) == (0, 1, 1)
    with pytest.raises(GraphError, match="a: the reference has a box or a score that is not finite"):
        photo_loss("a", found((20, 0, np.inf, 10, 0.5, 1)), found(DOG))


def test_a_run_that_failed_costs_everything() -> None:
    one = photo_loss("a", found(CAT, DOG), None)

    assert one.loss == 1 and one.failed and one.lost == 2
    assert photo_loss("a", found(), None).loss == 1


def test_masks_on_one_side_only_are_an_error() -> None:
    with pytest.raises(GraphError, match="one run has masks"):
        photo_loss("a", found(CAT, masks=True), found(CAT))


def test_empty_masks_are_equal() -> None:
    empty = RLE(**hotcoco.mask.encode(np.zeros((HEIGHT, WIDTH), np.uint8, order="F")))  # type: ignore[typeddict-item]
    one = Detections(found(CAT).boxes, found(CAT).scores, found(CAT).labels, (empty,))

    assert photo_loss("a", one, one).loss == 0


def test_over_photos_with_an_interval() -> None:
    reference = {str(place): found(CAT, DOG) for place in range(8)}
    other = {str(place): found(DOG) if place % 2 else found(CAT, DOG) for place in range(8)}

    whole = loss_of([photo_loss(name, reference[name], each) for name, each in other.items()])

    assert whole.estimate.value == pytest.approx(1 / 6)
    assert 0 <= whole.estimate.low < 1 / 6 < whole.estimate.high
    assert whole.parts["unmatched"] == pytest.approx(1 / 6) and set(whole.parts) == set(PARTS)
    assert loss_of(whole.seen) == whole  # the seed is fixed


def test_where_not_all_photos_were_looked_at_the_mean_lies_between_two_ends() -> None:
    worst, good = photo_loss("a", found(CAT), found()), photo_loss("b", found(CAT), found(CAT))

    some = loss_of([worst, good, *[None] * 6])

    assert (some.whole, len(some.seen)) == (False, 2)
    assert (some.estimate.value, some.estimate.low, some.estimate.high) == (1 / 8, 1 / 8, 7 / 8)
    assert some.parts["unmatched"] == 1 / 8
    assert loss_of([worst, good]).whole


def test_two_losses_are_told_apart_on_the_photos_looked_at_both_times() -> None:
    """By their places: two photos may have one name."""
    before = loss_of([photo_loss("1.jpg", found(CAT), found()), photo_loss("1.jpg", found(CAT), found())])
    better = photo_loss("1.jpg", found(CAT), found(CAT))

    assert beside(before, loss_of([None, better])) == (1, 0)
    assert beside(loss_of([None, better]), before) == (0, 1)
    assert beside(before, loss_of([before.photos[0], better])) == (1, 0.5)


def test_a_gain_is_of_all_photos_as_far_as_they_were_looked_at() -> None:
    before = loss_of([photo_loss("a", found(CAT), found()), photo_loss("b", found(CAT), found())])
    better = photo_loss("b", found(CAT), found(CAT))

    assert gain(before, loss_of([None, better])) == gain(before, loss_of([before.photos[0], better])) == 0.5


def test_of_one_photo_nothing_is_sure() -> None:
    whole = loss_of([photo_loss("a", found(CAT), found(CAT))])

    assert whole.estimate.value == 0 and whole.estimate.high == np.inf


def test_photos_without_a_difference_are_surely_equal() -> None:
    whole = loss_of([photo_loss(name, found(CAT), found(CAT)) for name in "abc"])

    assert (whole.estimate.low, whole.estimate.high) == (0, 0)


@pytest.mark.parametrize("wrong", [{"score": -0.1}, {"box": 0.6}])
def test_weights_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Weights(**wrong)


def test_no_photo_is_no_loss() -> None:
    with pytest.raises(UsageError, match="at least one photo"):
        loss_of([])
