"""Pictures put together for one run, and what comes out taken apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.detection.batch import PATIENCE, alike, apart, groups, in_turn, kind_of, stacked
from convertkit.errors import GraphError


def picture(value: float) -> dict[str, np.ndarray]:
    return {"input": np.full((1, 3, 2, 2), value), "picture": np.full((1, 4), value)}


@given(st.integers(1, 5), st.data())
def test_each_picture_comes_out_as_it_went_in(batch, data):
    count = data.draw(st.integers(1, batch))
    pictures = [picture(value) for value in range(count)]

    found = apart(stacked(pictures, batch), batch)

    assert len(found) == batch
    for one, wanted in zip(found, [*pictures, *[pictures[-1]] * (batch - count)], strict=True):
        for name, array in wanted.items():
            np.testing.assert_array_equal(one[name], array)


def test_one_picture_is_not_copied():
    image = np.zeros((1, 3))

    assert stacked([{"input": image}], 1)["input"] is image


@pytest.mark.parametrize("shape", [(), (7, 5)])
def test_what_has_no_equal_parts_is_refused(shape):
    assert len(apart({"dets": np.zeros((6, 5))}, 3)) == 3

    with pytest.raises(GraphError, match=r"output dets \(.*\) is not that of 3 pictures"):
        apart({"dets": np.zeros(shape)}, 3)


def test_the_last_group_holds_what_is_left():
    assert list(groups(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(groups([], 2)) == []


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(1, 4))
def test_runs_are_of_one_kind_and_none_waits_for_long(kinds, size):
    items = list(enumerate(kinds))

    runs = list(alike(items, size, lambda item: item[1]))

    assert all(len(run) <= size and len({kind for _, (_, kind) in run}) == 1 for run in runs)
    assert sorted(item for run in runs for item in run) == list(zip(range(len(kinds)), items, strict=True))
    for kind in "abc":  # each kind in its order
        numbers = [number for run in runs for number, item in run if item[1] == kind]
        assert numbers == sorted(numbers)


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abc"), max_size=80), st.integers(1, 3))
def test_no_more_come_in_while_the_first_waits(kinds, size):
    taken = 0

    def items():
        nonlocal taken
        for taken, kind in enumerate(kinds):  # noqa: B007 - counted
            yield kind

    for run in alike(items(), size, str):
        assert taken - run[0][0] <= PATIENCE * size or taken == len(kinds) - 1


def test_of_one_kind_they_are_plain_groups():
    runs = list(alike(range(5), 2, lambda item: None))

    assert [[item for _, item in run] for run in runs] == list(groups(range(5), 2))


@given(st.permutations(range(9)))
def test_whatever_comes_early_waits_for_its_turn(order):
    assert list(in_turn((number, str(number)) for number in order)) == list("012345678")


def test_kinds_are_told_by_shapes_but_for_the_number_of_pictures():
    wide, tall = np.zeros((1, 3, 2, 4)), np.zeros((1, 3, 4, 2))

    assert kind_of({"input": wide}) != kind_of({"input": tall}) != kind_of({"other": tall})
    assert kind_of({"input": wide}) == kind_of({"input": np.ones((5, 3, 2, 4))})
