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
