"""Which settings are looked at, without a model."""

from __future__ import annotations

from typing import Any

import pytest

from convertkit.errors import GraphError, UsageError
from convertkit.tuning.front import Price, Setting
from convertkit.tuning.levers import Choice, Lever
from convertkit.tuning.sweep import Made, Sweep


def lever(name: str, *words: str, meaning: bool = True) -> Lever:
    return Lever(
        name, tuple(Choice(word, {name: word} if place else {}) for place, word in enumerate(words)), meaning
    )


A, B = lever("a", "0", "1", "2", "3"), lever("b", "0", "1", "2", meaning=False)


def make(setting: Setting) -> Made:
    """The more of each lever, the faster."""
    speed = 10.0 + 3 * setting[0] + (setting[1] if len(setting) > 1 else 0)
    return Made((), (repr(setting),), Price(speed, None, 2 * speed, {"": 1e3 / speed}))


def swept(*levers: Lever, make: Any = make, budget: int = 24) -> Sweep:
    sweep = Sweep(levers, make, None, budget)
    sweep.found = sweep.run()  # type: ignore[attr-defined]
    return sweep


def test_a_small_grid_is_looked_at_whole() -> None:
    sweep = swept(A, B)

    assert set(sweep.points) == {(a, b) for a in range(4) for b in range(3)}
    assert not sweep.ended and next(iter(sweep.points)) == (0, 0)


def test_a_large_one_alone_and_then_beside_the_front() -> None:
    sweep = swept(A, B, budget=9)

    assert [*sweep.points][:6] == [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 2)]
    assert (3, 2) in sweep.points, "the fastest is found by steps from the fastest of each lever"
    assert len(sweep.points) <= 9


@pytest.mark.parametrize("budget", [1, 3])
def test_the_budget_is_never_gone_beyond_and_its_end_is_said(budget: int) -> None:
    sweep = swept(A, B, budget=budget)

    assert len(sweep.points) == budget and sweep.ended


def test_choices_that_nobody_looked_at_alone_are_an_end_too() -> None:
    """The only neighbour of the front cannot be had; two more choices were left."""

    def some(setting: Setting) -> Made:
        if setting[0] == 1:
            raise GraphError("no")
        return make(setting)

    assert swept(A, make=some, budget=2).ended


def test_a_choice_that_cannot_be_had_is_left_out_and_not_tried_again() -> None:
    asked: list[Setting] = []

    def refuses(setting: Setting) -> Made:
        asked.append(setting)
        if setting[0] == 1:
            raise GraphError("no such graph")
        return make(setting)

    sweep = swept(A, B, make=refuses)

    assert sweep.failed == {"a=1": "no such graph"}
    assert [setting for setting in asked if setting[0] == 1] == [(1, 0)]


def test_a_choice_that_changes_nothing_is_left_out() -> None:
    def same(setting: Setting) -> Made:
        return make((0, *setting[1:]))

    sweep = swept(A, B, make=same)

    assert set(sweep.failed) == {"a=1", "a=2", "a=3"}
    assert sweep.failed["a=1"] == "its graph is that of point 1"


def test_the_model_as_it_is_has_to_be_there() -> None:
    def refuses(setting: Setting) -> Made:
        raise UsageError("no graph")

    with pytest.raises(UsageError, match="no graph"):
        swept(A, make=refuses)


def test_without_accuracy_the_fastest_alone_is_the_front() -> None:
    found = swept(A, B).found  # type: ignore[attr-defined]

    assert [(one.name, one.within_noise) for one in found if one.front] == [("a=3, b=2", None)]
