from __future__ import annotations

import pytest

from convertkit.errors import SpecError
from convertkit.models.spec import AccuracySpec
from convertkit.verification.gates import VOID
from convertkit.verification.judge import judge

SCORES = {"bbox": {"AP": 0.40, "AP50": 0.60}, "segm": {"AP": 0.35}}


def spec(**demands: dict[str, float]) -> AccuracySpec:
    return AccuracySpec(**demands, tolerance=0.01, images=10, source="somewhere")  # type: ignore[arg-type]


def test_a_value_within_the_tolerance_is_good() -> None:
    verdict = judge(SCORES, spec(bbox={"AP": 0.409}, segm={"AP": 0.35}), images=10, own=True)

    assert (verdict.judged, verdict.ok) == (True, True)
    assert str(verdict.demands[0]) == "bbox AP 0.4000 >= 0.4090 - 0.01"


@pytest.mark.parametrize(("measured", "ok"), [(0.5, True), (0.5 - 2**-20, False)])
def test_the_lowest_good_value_is_the_expected_one_less_the_tolerance(measured: float, ok: bool) -> None:
    demands = AccuracySpec(bbox={"AP": 0.75}, tolerance=0.25, images=10, source="somewhere")

    assert judge({"bbox": {"AP": measured}}, demands, images=10, own=True).ok == ok


def test_an_accuracy_of_zero_was_measured() -> None:
    verdict = judge({"bbox": {"AP": 0.0}}, spec(bbox={"AP": 0.5}), images=10, own=True)

    assert (verdict.judged, verdict.ok) == (True, False)


def test_one_value_below_is_enough_to_fail() -> None:
    verdict = judge(SCORES, spec(bbox={"AP": 0.40, "AP50": 0.62}), images=10, own=True)

    assert (verdict.judged, verdict.ok) == (True, False)
    assert [demand.ok for demand in verdict.demands] == [True, False]


@pytest.mark.parametrize(
    ("demands", "images", "own", "reason"),
    [
        ({}, 10, True, "the accuracy spec demands nothing"),
        ({"bbox": {"AP": 0.9}}, 10, False, "the accuracy spec was written for other images"),
        ({"bbox": {"AP": 0.9}}, 3, True, "the accuracy spec holds for 10 images, this run had 3"),
    ],
)
def test_where_the_spec_does_not_apply_nothing_is_judged(
    demands: dict[str, dict[str, float]], images: int, own: bool, reason: str
) -> None:
    verdict = judge(SCORES, spec(**demands), images=images, own=own)

    assert (verdict.judged, verdict.ok, verdict.reason) == (False, True, reason)


def test_an_unknown_metric_points_to_the_nearest() -> None:
    with pytest.raises(SpecError, match=r"accuracy\.bbox: unknown metric 'AP5' \(did you mean 'AP50'\?"):
        judge(SCORES, spec(bbox={"AP5": 0.5}), images=10, own=True)


@pytest.mark.parametrize(
    ("measured", "options", "reason"),
    [
        ({"bbox": {"AP": -1.0}}, {}, "nothing in the annotations counts for bbox AP"),
        ({"bbox": {"AP": 0.9}}, {"left_out": "2 photos left out"}, "2 photos left out"),
        ({"bbox": {"AP": 0.9}}, {"all_images": False}, "only 10 images of the dataset were measured"),
        ({"segm": {"AP": 0.9}}, {}, "the accuracy spec demands nothing of what was measured"),
    ],
)
def test_what_was_not_measured_is_neither_good_nor_bad(
    measured: dict[str, dict[str, float]], options: dict[str, str], reason: str
) -> None:
    verdict = judge(measured, spec(bbox={"AP": 0.4}), images=10, own=True, **options)

    assert (verdict.judged, verdict.reason) == (False, reason)


def test_a_task_that_was_left_out_is_named_beside_the_verdict_on_the_other() -> None:
    verdict = judge({"bbox": {"AP": 0.4}}, spec(bbox={"AP": 0.4}, segm={"AP": 0.9}), images=10, own=True)

    assert (verdict.judged, verdict.ok, verdict.tasks_left_out) == (True, True, ("segm",))


def test_a_figure_without_objects_hides_no_other() -> None:
    measured = {"bbox": {"AP": 0.1, "APs": -1.0}}

    verdict = judge(measured, spec(bbox={"AP": 0.4, "APs": 0.2}), images=10, own=True)

    assert (verdict.judged, verdict.ok, [demand.metric for demand in verdict.demands]) == (
        True,
        False,
        ["AP"],
    )
    assert verdict.gates_left_out == ("bbox APs: nothing in the annotations counts for it",)


def test_a_verdict_waits_for_photos_that_have_something_to_find() -> None:
    good = judge(SCORES, spec(bbox={"AP": 0.4}), images=10, own=True)

    void, other = f"bbox AP zebra: {VOID}", "bbox AP zebra: the floor is for other photos"
    assert good.with_gates((), (void,)).waiting and not good.with_gates((), (other,)).waiting
    bad = judge(SCORES, spec(bbox={"AP": 0.9}), images=10, own=True)
    assert not bad.with_gates((), (void,)).waiting
