from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from convertkit.bisection.minimize import minimize
from convertkit.bisection.search import first_bad


@given(st.integers(0, 40), st.integers(0, 41))
def test_the_first_bad_one_is_found_with_few_looks(count: int, start: int) -> None:
    looks: list[int] = []

    found = first_bad(count, lambda index: looks.append(index) or index >= start)

    assert found == (start if start < count else None)
    assert len(looks) == len(set(looks)) <= 1 + math.ceil(math.log2(count + 1))


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_where_good_and_bad_alternate_a_turn_to_bad_is_found(bad: list[bool]) -> None:
    found = first_bad(len(bad), bad.__getitem__)

    if not bad[-1]:
        assert found is None
    else:
        assert found is not None
        assert bad[found]
        assert found == 0 or not bad[found - 1]


@given(st.sets(st.integers(0, 30), min_size=1, max_size=4), st.integers(31, 60))
def test_only_what_is_needed_is_kept(needed: set[int], count: int) -> None:
    found = minimize(range(count), lambda part: needed <= set(part), lambda: True)

    assert found == sorted(needed)


@given(st.data())
def test_nothing_can_be_left_out_of_what_is_found(data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.sets(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=4))
    shows = lambda part: any(group <= set(part) for group in groups)  # noqa: E731

    found = minimize(range(10), shows, lambda: True)

    assert shows(found)
    assert not any(shows(found[:i] + found[i + 1 :]) for i in range(len(found)))


def test_the_search_ends_when_told_to_with_what_it_has() -> None:
    trials = iter([True, True, False])

    found = minimize(range(8), lambda part: 7 in part, lambda: next(trials))

    assert found == [6, 7]


def test_no_items_at_all_are_never_asked_about() -> None:
    asked: list[list[int]] = []

    assert minimize([1], lambda part: asked.append(part) or True, lambda: True) == [1]
    assert asked == []
