"""The search for what to keep in fp32, over losses that are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.precision.candidates import Pattern
from convertkit.precision.loss import PARTS, Loss, PhotoLoss, gain, loss_of
from convertkit.precision.search import RANKED, Kept, Search
from convertkit.scoring.intervals import Estimate

LIMIT, FLOOR = 0.1, 0.05
PATTERNS = tuple(Pattern(tuple((f"p{kind}.{one}",) for one in range(5))) for kind in range(40))
NODES = [name for pattern in PATTERNS for name in pattern.nodes]


def loss(value: float) -> Loss:
    return Loss(Estimate(value, 0.0, value, value), {}, ())


def culprits(*groups: Sequence[str]) -> Callable[[Kept, int, bool], Loss]:
    """Each group costs a share until all of it is kept."""
    share = 0.9 / max(len(groups), 1)
    return lambda keep, place, whole: loss(
        FLOOR + share * sum(not keep.issuperset(group) for group in groups)
    )


def searched(
    evaluate: Callable[[Kept, int, bool], Loss], must: Sequence[str] = (), budget: int = 30
) -> Search:
    search = Search(evaluate, LIMIT, budget)
    search.run(lambda: [must] if must else [], lambda: PATTERNS)
    return search


def test_nothing_is_kept_of_a_graph_within_the_limit_after_one_look() -> None:
    search = Search(culprits(), LIMIT, 30)

    search.run(pytest.fail, pytest.fail)

    assert (search.met, len(search.losses), search.ended) == (frozenset(), 1, False)


def test_what_overflows_is_enough() -> None:
    search = searched(culprits(["neck"]), must=["neck"])

    assert (search.met, len(search.losses), search.needs) == ({"neck"}, 2, [])


def test_what_overflows_is_left_out_again_where_nobody_notices() -> None:
    search = Search(culprits(["area"], ["neck"]), LIMIT, 30)

    search.run(lambda: [("level",), ("area", "root"), ("neck",), ("more",)], pytest.fail)

    assert search.met == {"area", "root", "neck"} and len(search.losses) == 2 + 4 and not search.ended


def test_where_one_group_overflows_nothing_more_is_asked_of_it() -> None:
    search = searched(culprits(["neck"]), must=["neck", "fused"])

    assert (search.met, len(search.losses)) == ({"neck", "fused"}, 2)


@pytest.mark.parametrize("value, met", [(LIMIT, True), (LIMIT + 1e-9, False)])
def test_the_limit_is_met_by_the_upper_end_of_the_interval(value: float, met: bool) -> None:
    evaluate = lambda keep, place, whole: Loss(Estimate(0.01, 0.0, 0.0, value), {}, ())  # noqa: E731

    assert (searched(evaluate).met == frozenset()) is met


def test_a_limit_that_all_of_it_does_not_meet_ends_the_search_at_once() -> None:
    search = searched(lambda keep, place, whole: loss(0.2), must=["neck"])

    assert (search.met, len(search.losses), search.ended) == (None, 3, False)


def test_a_first_guess_that_is_right_is_asked_once() -> None:
    search = searched(culprits(["p0.0"]))

    assert search.met == {"p0.0"} and len(search.losses) <= 3 + 4
    assert [
        (one.piece, one.before.estimate.value > LIMIT >= one.after.estimate.value) for one in search.needs
    ] == [(("p0.0",), True)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sets(st.sampled_from(NODES), min_size=1, max_size=2), min_size=1, max_size=2))
def test_exactly_what_matters_is_found_wherever_it_is(groups: list[set[str]]) -> None:
    search = searched(culprits(*groups), budget=60)

    assert search.met == set().union(*groups) and not search.ended
    assert {name for one in search.needs for name in one.piece} == search.met


@settings(max_examples=20, deadline=None)
@given(st.sets(st.sampled_from(NODES), min_size=1, max_size=4), st.integers(1, 40))
def test_a_budget_is_kept_and_what_was_seen_to_meet_the_limit_is_given(found: set[str], budget: int) -> None:
    search = searched(culprits(*([name] for name in found)), budget=budget)

    assert len(search.losses) <= budget
    assert search.met is None or search.losses[search.met].estimate.high <= LIMIT
    assert search.ended or search.met == found


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sets(st.sampled_from(NODES), min_size=1, max_size=2), min_size=1, max_size=2))
def test_evaluations_that_end_early_lead_to_the_same_answer(groups: list[set[str]]) -> None:
    of_all, photos = culprits(*groups), tuple(PhotoLoss(str(number), 0.0, {}) for number in range(2))

    def early(keep: Kept, place: int, whole: bool) -> Loss:
        found = of_all(keep, place, whole)
        value = found.estimate.value
        each = tuple(PhotoLoss(photo.photo, value, {}) for photo in photos)
        if whole or value <= LIMIT:
            return Loss(found.estimate, {}, each)
        return Loss(Estimate(value / 2, 0.0, value / 2, value / 2 + 0.5), {}, (each[0], None))

    search = searched(early, budget=60)

    assert search.met == searched(of_all, budget=60).met == set().union(*groups)
    assert all(one.after.whole and one.before.estimate.high > LIMIT for one in search.needs)


def test_one_that_is_masked_by_another_is_found_within_the_budget() -> None:
    """Each is kept alone for nothing: only both bring the detections back."""
    both = lambda keep, place, whole: loss(FLOOR if keep.issuperset(["p1.2", "p30.3"]) else 1.0)  # noqa: E731

    search = searched(both)

    assert search.met == {"p1.2", "p30.3"} and len(search.losses) <= 30 and not search.ended


def test_a_gain_on_the_hardest_photo_alone_is_no_mean_over_all() -> None:
    """A was looked at on one photo of eight, where it gains less than B, which was looked at on all."""

    def of(hardest: float, rest: float | None) -> Loss:
        photos = [PhotoLoss(str(number), rest, dict.fromkeys(PARTS, 0.0)) if rest is not None else None
                  for number in range(7)]  # fmt: skip
        return loss_of([PhotoLoss("hardest", hardest, dict.fromkeys(PARTS, 0.0)), *photos])

    bare, less, more = of(0.9, 0.05), of(0.65, None), of(0.3, 0.05)

    assert gain(bare, more) > gain(bare, less) > 0


def test_patterns_are_tried_alone_in_their_order_and_not_all() -> None:
    asked: list[Kept] = []

    def evaluate(keep: Kept, place: int, whole: bool) -> Loss:
        asked.append(keep)
        assert (place, whole) == (len(asked), len(asked) <= 3 - 1)
        return culprits(["p39.4"])(keep, place, whole)

    searched(evaluate)

    assert asked[2 : 2 + RANKED] == [frozenset(pattern.nodes) for pattern in PATTERNS[:RANKED]]
    assert len(asked) == len(set(asked))
