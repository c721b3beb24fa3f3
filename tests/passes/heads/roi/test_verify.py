"""Holding a candidate against the operator: one that is it, and one that differs in a single way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from convertkit_passes.heads.roi.pooling import Pooling
from convertkit_passes.heads.roi.verify import verify

from convertkit.api import heads
from convertkit.api.heads import Refused

Change = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


@dataclass
class Operator:
    """Stands for a ``Probe``: the operator itself, and what becomes of its result.

    Args:
        change: of the number of the question, the RoIs and the result.
        order: positions of the levels in the pooling, finest first.
    """

    change: Change = lambda question, rois, result: result
    aligned: int = 0
    clamp: int = 1
    order: tuple[int, ...] = (0, 1)
    count: int | None = 8
    questions: int = 128
    exit: str = "result"
    finest: int = 8
    asked: int = -1

    @property
    def pooling(self) -> Pooling:
        shapes, scales = ((1, 9, 24, 32), (1, 9, 12, 16)), (0.25, 0.125)
        return Pooling((), *(tuple(item[i] for i in self.order) for item in (shapes, scales)), (2, 1), 2)

    def attributes(self) -> dict[str, Any]:
        return {
            "finest_scale": self.finest, "spatial_scale": [0.25, 0.125], "output_height": 2, "output_width": 1,
            "sampling_ratio": 2, "aligned": self.aligned, "at_bound": "up", "clamp": self.clamp,
        }  # fmt: skip

    def ask(self, features: list[np.ndarray], rois: np.ndarray) -> np.ndarray:
        self.asked += 1
        levels = [features[index] for index in np.argsort(self.order)]
        (result,) = heads.MULTILEVEL_ROI_ALIGN.compute([*levels, rois], self.attributes())
        return self.change(self.asked, rois, np.array(result))


def small(rois: np.ndarray) -> np.ndarray:
    """Whether they are less than one feature pixel of their level wide or high."""
    sides = rois[:, 3:].astype(np.float64) - rois[:, 1:3]
    stride = np.where(np.sqrt(sides.prod(axis=1)) >= 16, 8, 4)
    return np.asarray(sides.min(axis=1) < stride)


def rows(chosen: Callable[[np.ndarray], np.ndarray], factor: float) -> Change:
    """The values of some RoIs times a factor."""

    def change(question: int, rois: np.ndarray, result: np.ndarray) -> np.ndarray:
        result[chosen(rois)] *= np.float32(factor)
        return result

    return change


@pytest.mark.parametrize(("aligned", "clamp"), [(0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_operator_is_found_with_its_attributes(aligned: int, clamp: int, order: tuple[int, int]) -> None:
    probe = Operator(aligned=aligned, clamp=clamp, order=order)

    found = verify(probe, tuple(np.argsort(order)), 8, None)

    assert found.attributes == probe.attributes()
    assert (found.compared, found.worst) == (128, 0)


@pytest.mark.parametrize("aligned", [0, 1])
def test_all_rois_may_be_small(aligned: int) -> None:
    probe = Operator(aligned=aligned, clamp=1, finest=1)

    found = verify(probe, (0, 1), 1, None)

    assert found.attributes == probe.attributes() and found.worst == 0


@pytest.mark.parametrize("factor", [1 + 0.9e-4, 1 - 0.9e-4])
def test_it_may_round(factor: float) -> None:
    found = verify(Operator(rows(lambda rois: np.full(len(rois), True), factor)), (0, 1), 8, None)

    assert 0.7e-4 < found.worst < 1e-4


@pytest.mark.parametrize("kind", [small, lambda rois: ~small(rois)])
def test_the_worst_of_all_is_told(kind: Callable[[np.ndarray], np.ndarray]) -> None:
    found = verify(Operator(rows(kind, 1 + 0.9e-4)), (0, 1), 8, None)

    assert 0.5e-4 < found.worst < 1e-4


def test_a_difference_is_refused_with_its_size_by_level() -> None:
    def coarse(rois: np.ndarray) -> np.ndarray:
        return np.sqrt(np.prod(rois[:, 3:] - rois[:, 1:3], axis=1)) >= 16

    with pytest.raises(
        Refused, match=r"^(\d+) of 88 RoIs differ from the operator's, per level by up to "
    ) as refused:
        verify(Operator(rows(coarse, 1.5)), (0, 1), 8, None)

    fine, coarsest = refused.value.why.split("by up to ")[1].split(" of the largest")[0].split(", ")
    assert (float(fine), refused.value.tensor) == (0, "result")
    assert 0.3 < float(coarsest) <= 0.5


@pytest.mark.parametrize(("factor", "fits"), [(1 + 0.9e-4, True), (1 + 1.6e-4, False), (2, False)])
def test_small_rois_follow_a_rule(factor: float, fits: bool) -> None:
    probe = Operator(rows(small, factor))

    if fits:
        assert verify(probe, (0, 1), 8, None).attributes["clamp"] == 1
        return
    with pytest.raises(
        Refused, match=r"^RoIs below one feature pixel differ from the operator's by "
    ) as refused:
        verify(probe, (0, 1), 8, None)
    by = float(refused.value.why.split(" by ")[1].split()[0])
    assert refused.value.tensor == "result" and by == pytest.approx(factor - 1, rel=0.4)


def few(many: int, *questions: int) -> Change:
    """The values of the first RoIs that are not small are wrong at some questions."""

    def change(question: int, rois: np.ndarray, result: np.ndarray) -> np.ndarray:
        if question in questions:
            result[np.flatnonzero(~small(rois))[:many]] += 1
        return result

    return change


@pytest.mark.parametrize(
    ("many", "questions", "fits"), [(1, (0,), True), (2, (0,), False), (1, (0, 1), False)]
)
def test_a_few_rois_may_differ_that_do_not_a_little_to_the_side(
    many: int, questions: tuple[int, ...], fits: bool
) -> None:
    probe = Operator(few(many, *questions))

    if fits:
        assert verify(probe, (0, 1), 8, None).worst < 1e-6
        return
    with pytest.raises(Refused, match=rf"^{many} of 88 RoIs differ"):
        verify(probe, (0, 1), 8, None)


@pytest.mark.parametrize("number", [0, 1])
def test_one_roi_or_none_gives_what_it_gives_among_many(number: int) -> None:
    def change(question: int, rois: np.ndarray, result: np.ndarray) -> np.ndarray:
        return np.ones((1, 9, 2, 1)) if len(rois) == number else result

    assert verify(Operator(change, count=8), (0, 1), 8, None).worst == 0
    with pytest.raises(Refused, match=r"^the result of a RoI depends on how many there are$") as refused:
        verify(Operator(change, count=None), (0, 1), 8, None)
    assert refused.value.tensor == "result"
