from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convertkit.api.passes import GraphPass
from convertkit.errors import PassError
from convertkit.graph.light import LightModel, detach
from convertkit.passes.check import Checker
from tests.tiny import tiny_model

ROLES = {"boxes": "dets", "classes": "labels", "extra": "other"}
Outputs = tuple[NDArray[np.float32], ...]


class Rounds(GraphPass):
    """Promise no more than other rounding."""

    name = "rounds"
    effect = "rounding"


def outputs(extra: float) -> Outputs:
    dets = np.array([[0, 0, 10, 10, 0.9], [20, 20, 40, 40, 0.8]], np.float32)
    return dets, np.array([1, 2], np.float32), np.array([1.0, extra], np.float32)


def checker(before: Outputs, after: Outputs) -> tuple[Checker, LightModel, LightModel]:
    models = detach(tiny_model(0)), detach(tiny_model(1))
    results = {models[0].digest(): before, models[1].digest(): after}

    def opener(model: LightModel) -> Any:
        return lambda inputs: results[model.digest()]

    return Checker([{}], ROLES, opener), *models


def test_detections_may_change_their_order() -> None:
    dets, labels, extra = outputs(0.5)
    judge, before, after = checker((dets, labels, extra), (dets[::-1], labels[::-1], extra))

    record = judge.check(Rounds(), before, after, changed=True)

    assert record.max_error == 0


def test_an_output_beside_the_detections_is_held_to_the_tolerance_too() -> None:
    judge, before, after = checker(outputs(0.5), outputs(0.6))

    with pytest.raises(PassError, match=r"extra changes by up to 0\.1"):
        judge.check(Rounds(), before, after, changed=True)


class Means(GraphPass):
    """Change what the detections are."""

    name = "means"
    effect = "semantic"


def test_what_a_semantic_pass_changes_is_said_of_sets_not_of_slots() -> None:
    dets, labels, extra = outputs(0.5)
    other = np.array([[200, 200, 210, 210, 0.7], [0, 0, 10, 10.5, 0.9]], np.float32)
    judge, before, after = checker((dets, labels, extra), (other, labels[::-1], extra))

    record = judge.check(Means(), before, after, changed=True)

    assert (
        record.detail
        == "1 detection stays within 0.5 px, score 0, mask 0, 1 gone, 1 exchanged at the end of the list"
    )
    assert record.max_error == 0.5


def test_an_output_beside_the_detections_has_its_own_word_for_a_semantic_pass() -> None:
    judge, before, after = checker(outputs(0.5), outputs(0.75))

    record = judge.check(Means(), before, after, changed=True)

    assert record.detail == ("2 detections stay within 0 px, score 0, mask 0; extra differs by at most 0.25")
    assert record.max_error == 0.25


def test_where_nothing_is_detected_a_semantic_pass_is_measured_by_values() -> None:
    dets, labels, extra = outputs(0.5)
    judge, before, after = checker((dets * 0, labels, extra), (dets * 0, labels, extra * 2))

    assert judge.check(Means(), before, after, changed=True).detail == "extra differs by at most 1"
