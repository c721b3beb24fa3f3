"""Every limit of the pass check, just inside and just outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convertkit.api.passes import GraphPass
from convertkit.errors import PassError
from convertkit.graph.light import LightModel, detach
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord
from tests.tiny import tiny_model

ROLES = {"boxes": "dets", "classes": "labels", "extra": "masks"}
Values = NDArray[Any]
TOLERANCE, BOX, SCORE, MASK = 1e-4, 0.05, 1e-4, 1e-3  # written out: a limit that moves is to fail


class Step(GraphPass):
    """Promise what a test wants."""

    name = "step"


class Exact(Step):
    """Promise the same values."""

    effect = "exact"


class Rounds(Step):
    """Promise no more than other rounding."""

    effect = "rounding"


class Changes(Step):
    """Promise another result."""

    effect = "semantic"


def check(
    step: Step, old: tuple[Values, ...], new: tuple[Values, ...], roles: dict[str, str] | None = None
) -> CheckRecord:
    models = detach(tiny_model(0)), detach(tiny_model(1))
    results = {models[0].digest(): old, models[1].digest(): new}

    def opener(model: LightModel) -> Any:
        return lambda inputs: results[model.digest()]

    return Checker([{}], roles, opener).check(step, *models, changed=True)


def moved(by: float) -> tuple[tuple[Values, ...], tuple[Values, ...]]:
    """An output whose largest value is 8, and it again with its smallest value moved by so much of that."""
    old = np.array([8.0, 1.0])
    return (old,), (np.add(old, [0, by * 8]),)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_rounding_pass_may_move_values_so_far_and_no_further(sign: int) -> None:
    inside = check(Rounds(), *moved(sign * TOLERANCE * 0.999))

    assert inside.max_error == pytest.approx(TOLERANCE * 8 * 0.999)
    with pytest.raises(PassError, match=f"allowed {TOLERANCE:g}"):
        check(Rounds(), *moved(sign * TOLERANCE * 1.001))


def test_an_exact_pass_may_not_move_a_value_to_its_neighbour() -> None:
    old = np.array([1.0, 2.0], np.float32)

    assert check(Exact(), (old,), (old.copy(),)).detail == "bit for bit equal"
    with pytest.raises(PassError, match="allowed 0"):
        check(Exact(), (old,), (np.nextafter(old, np.float32(9)),))


@pytest.mark.parametrize("value", [2**53, -(2**62), 2**63 - 2])
def test_integers_that_float64_mixes_up_are_told_apart(value: int) -> None:
    old = np.array([value])

    check(Exact(), (old,), (old.copy(),))
    with pytest.raises(PassError, match="allowed 0"):
        check(Exact(), (old,), (old + 1,))


@pytest.mark.parametrize(("old", "new"), [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (np.inf, -np.inf)])
def test_what_is_no_number_stays_what_it_is(old: float, new: float) -> None:
    check(Exact(), (np.array([old, 1.0]),), (np.array([old, 1.0]),))

    for step in (Exact(), Rounds()):
        with pytest.raises(PassError):
            check(step, (np.array([old, 1.0]),), (np.array([new, 1.0]),))


def test_a_semantic_pass_may_move_values_by_any_distance_that_is_measured() -> None:
    assert check(Changes(), (np.array([1.0]),), (np.array([99.0]),)).max_error == 98


def detections(box: float = 0.0, score: float = 0.0, mask: float = 0.0) -> tuple[Values, ...]:
    dets = np.array([[10 + box, 10, 50, 50, 0.9 + score], [60, 60, 90, 90, 0.5]])
    masks = np.full((2, 1, 2, 2), 0.25)
    masks[1, 0, 1, 1] += mask
    return dets, np.array([1, 2]), masks


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("what", "limit"),
    [("box", BOX), ("score", SCORE), ("mask", MASK)],
)
def test_a_detection_may_move_so_far_and_no_further(what: str, limit: float, sign: int) -> None:
    inside = check(Rounds(), detections(), detections(**{what: sign * limit * 0.99}), ROLES)

    assert inside.max_error == pytest.approx(limit * 0.99, rel=1e-3)
    with pytest.raises(PassError, match="the detections differ"):
        check(Rounds(), detections(), detections(**{what: sign * limit * 1.01}), ROLES)


@pytest.mark.parametrize(("score", "excused"), [(0.5 + 0.99 * SCORE, True), (0.502, False)])
def test_what_the_end_of_a_full_list_pushes_out_is_excused_so_far_above_it(
    score: float, excused: bool
) -> None:
    old = np.array([[10, 10, 50, 50, 0.9], [60, 60, 90, 90, score]])
    new = np.array([[10, 10, 50, 50, 0.9], [0, 60, 30, 90, 0.5]])
    labels, masks = np.array([1, 2]), np.full((2, 1, 2, 2), 0.25)

    if excused:
        assert (
            "1 detections matched, 2 exchanged"
            in check(Rounds(), (old, labels, masks), (new, labels, masks), ROLES).detail
        )
    else:
        with pytest.raises(PassError, match="1 lost"):
            check(Rounds(), (old, labels, masks), (new, labels, masks), ROLES)
