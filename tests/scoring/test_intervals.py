"""How sure a figure is: what an interval decides, how many photos do, and looks that together err no more often."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.intervals import DATA, coverage, detectors, intervals, looked, until_decided
from convertkit.errors import SpecError
from convertkit.models.spec import AccuracySpec
from convertkit.scoring.intervals import ALPHA, Estimate, Resampled, draw, levels, looks, widening
from convertkit.verification.gates import gates_of
from tests.shared import needs_shared


def within(value: float, half: float) -> Estimate:
    return Estimate(value, half / 1.96, value - half, value + half)


@pytest.mark.parametrize(
    ("drop", "outcome"),
    [(0.0625, "pass"), (0.0625 + 2**-30, "undecided"), (0.1875, "undecided"), (0.1875 + 2**-30, "fail")],
)
def test_an_interval_decides_where_it_ends_on_one_side_of_the_limit(drop: float, outcome: str) -> None:
    assert within(drop, 0.0625).outcome(0.125) == outcome


def test_equal_rungs_are_equal_for_sure() -> None:
    equal = Estimate.of(0.0, np.zeros(1000))

    assert (equal.low, equal.high, equal.outcome(0.0), equal.outcome(0.0, 1e-9)) == (0, 0, "pass", "pass")


def test_a_metric_that_no_sample_has_decides_nothing() -> None:
    assert Estimate.of(0.5, np.full(1000, np.nan)).outcome(1.0) == "undecided"


def test_half_the_distance_needs_four_times_the_photos() -> None:
    found = within(0.004, 0.002)

    # (1.960 + 0.842)^2 / 1.96^2 = 2.043 of what makes the interval as wide as the distance
    assert found.photos(0.006, 1000) == 2044
    assert found.photos(0.005, 1000) == pytest.approx(4 * 2043.1, abs=2)
    assert found.photos(0.004, 1000) == math.inf


@pytest.mark.parametrize(
    ("photos", "counts"),
    [(1, [1]), (99, [99]), (100, [50, 100]), (5000, [79, 157, 313, 625, 1250, 2500, 5000])],
)
def test_every_look_sees_twice_as_many_photos(photos: int, counts: list[int]) -> None:
    assert looks(photos) == counts


def test_all_looks_together_spend_what_one_may() -> None:
    spent = levels(looks(5000))

    assert sum(spent) == pytest.approx(ALPHA)
    assert spent == sorted(spent)
    assert spent[-2] == pytest.approx(0.0055, abs=1e-4)  # Lan and DeMets 1983 at half of the photos


@pytest.mark.parametrize(("photos", "wider"), [(1, 2.0), (2, 2.0), (5, 1.25), (10**9, 1.0)])
def test_classes_of_few_photos_make_an_interval_wider(photos: int, wider: float) -> None:
    samples = {"AP": np.zeros(2), "AP cat": np.array([0.0, 1.0, np.nan]), "AP dog": np.full(3, np.nan)}

    assert widening(samples, {"AP cat": photos, "AP dog": 3}) == pytest.approx(math.sqrt(wider))
    assert widening({"AP cat": np.zeros(3)}, {"AP cat": photos}) == 1.0


def test_samples_are_the_same_every_time_and_as_large_as_the_dataset() -> None:
    drawn = draw(np.array([1, 0, 2], np.int32), 50)

    assert (drawn == draw(np.array([1, 0, 2], np.int32), 50)).all()
    assert drawn.sum(axis=1).tolist() == [3] * 50
    assert not drawn[:, 1].any()


def rung(name: str, value: float) -> Any:
    return SimpleNamespace(name=name, scores={"bbox": {"AP": value}}, per_class={"bbox": {"cat": value}})


def gates(spec: AccuracySpec, **options: Any) -> tuple[list[str], tuple[str, ...]]:
    """Of a rung that has 0.004 less AP than stock, give or take 0.002."""
    spread = np.linspace(-0.002, 0.002, 1000)
    samples = {"stock": np.full(1000, 0.4), "target": 0.396 + spread}
    found = Resampled(
        100,
        {name: {"bbox": {"AP": it, "AP cat": it}} for name, it in samples.items()},
        {"bbox": {"AP cat": 10**9}},
    )
    judged, left_out = gates_of(spec, found, [rung("stock", 0.4), rung("target", 0.396)], own=True, **options)
    return [str(gate) for gate in judged], left_out


def test_a_drop_is_said_with_its_interval_and_what_the_spec_allows() -> None:
    spec = AccuracySpec(
        drop={"stock": {"bbox": {"AP": 0.01, "AP cat": 0.001}}}, floor={"bbox": {"AP": 0.3955}}
    )

    lines, left_out = gates(spec)

    assert lines == [
        "bbox AP 0.3960 +- 0.0019, spec demands 0.3955: undecided, about 4199 photos settle this",
        "bbox AP drop against stock 0.0040 +- 0.0019, spec allows 0.01: pass",
        "bbox AP cat drop against stock 0.0040 +- 0.0019, spec allows 0.001: fail",
    ]
    assert left_out == ()


def test_what_was_not_measured_is_no_gate() -> None:
    spec = AccuracySpec(drop={"framework": {"bbox": {"AP": 0.01}}, "stock": {"segm": {"AP": 0.01}}})

    assert gates(spec) == (
        [],
        (
            "bbox AP drop against framework: rung framework was not measured",
            "segm AP drop against stock: segm was not measured",
        ),
    )


def test_a_drop_against_the_judged_rung_itself_is_no_gate() -> None:
    assert gates(AccuracySpec(drop={"target": {"bbox": {"AP": 0.01}}})) == (
        [],
        ("bbox AP drop against target: it is the rung that is judged",),
    )


def test_an_unknown_class_points_to_the_nearest() -> None:
    with pytest.raises(SpecError, match=r"bbox has no metric 'AP cot' \(did you mean 'AP cat'\?"):
        gates(AccuracySpec(floor={"bbox": {"AP cot": 0.1}}))


@needs_shared
@pytest.mark.slow
def test_intervals_of_two_real_detectors_cover_their_difference() -> None:
    """A small one of ``python -m bench.intervals``: of 60 at 95 %, 52 or fewer are as likely as 1 in 160."""
    rungs = detectors(DATA)
    found = coverage(rungs, intervals(rungs, 60, 200, range(60)))

    assert found["AP"] >= 53 / 60


@needs_shared
@pytest.mark.slow
def test_until_decided_seldom_decides_what_cannot_be() -> None:
    rungs = detectors(DATA)
    found = until_decided(rungs, [looked(rungs, 100, 376, index) for index in range(12)])

    assert found["as much as is lost"]["outcomes"].get("undecided", 0) >= 10
    assert found["twice as much"]["outcomes"].get("fail", 0) == 0
