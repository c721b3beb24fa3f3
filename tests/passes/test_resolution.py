"""What a Sigmoid says of nothing comes in steps: another rounding moves it by a few, and nothing else may."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convertkit.api.passes import Pass
from convertkit.errors import PassError
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord
from tests.graphtext import parse
from tests.passes.promises import Keeps, Rounds

FEW, MANY, TINY = np.array([3e-6, 0, 1e-7]), np.array([3e-6, 0.4, 1e-7]), np.array([1e-7, 0, 3e-8])
STEP = np.array([1.2e-7, 6e-8, 0])


def checked(step: Pass, nodes: str, old: Any, new: Any) -> CheckRecord:
    """The record of a check in which ``y`` has the values ``old`` before and ``new`` after."""
    before, after = (parse(f"(float[3] x) => ({kind}[3] y) {{ {nodes} }}") for kind in ("float", "double"))

    def opened(model: Any) -> Any:
        return lambda inputs: ((old if model is before else new).astype(np.float32),)

    return Checker([{"x": np.zeros(3, np.float32)}], opener=opened).check(step, before, after, changed=True)


@pytest.fixture(autouse=True)
def every_graph_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convertkit.passes.check.validate", lambda model: None)


@pytest.mark.parametrize(
    "nodes",
    [
        "y = Sigmoid (x)",
        "s = Sigmoid (x) t = Identity (s) y = Transpose (t)",
        "s = Sigmoid (x) y = ReduceMean <axes = [0]> (s)",
    ],
)
def test_a_few_steps_of_a_sigmoid_near_nothing_are_rounding(nodes: str) -> None:
    assert checked(Rounds(), nodes, FEW, FEW + STEP).max_error == pytest.approx(1.2e-7, rel=0.1)


@pytest.mark.parametrize(
    ("step", "nodes", "old", "change"),
    [
        (Rounds(), "y = Relu (x)", FEW, STEP),  # it could tell them finer
        (Rounds(), "y = Sigmoid (x)", FEW, 10 * STEP),  # more than a few steps
        (Rounds(), "y = Sigmoid (x)", MANY, 1000 * STEP),  # there the largest value counts, as ever
        (Keeps(), "y = Sigmoid (x)", FEW, STEP),  # the same bits were promised
    ],
)
def test_everything_else_is_a_change(step: Pass, nodes: str, old: Any, change: Any) -> None:
    with pytest.raises(PassError, match="changes by up to"):
        checked(step, nodes, old, old + change)


def test_a_sigmoid_without_a_value_above_its_steps_was_not_compared() -> None:
    assert checked(Rounds(), "y = Sigmoid (x)", TINY, TINY + STEP).unchecked
    assert not checked(Rounds(), "y = Sigmoid (x)", FEW, FEW).unchecked
    assert not checked(Rounds(), "y = Relu (x)", TINY, TINY).unchecked


def test_a_value_of_one_step_is_a_value_and_a_change_by_one_is_rounding() -> None:
    old = np.array([2.0**-21, 0, 0])

    record = checked(Rounds(), "y = Sigmoid (x)", old, 2 * old)

    assert (record.unchecked, record.max_error) == ("", 2.0**-21)
