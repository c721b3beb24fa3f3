"""A pass that fills outputs up: the rows there were are compared, those behind must tell nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convertkit.api.passes import GraphPass
from convertkit.errors import PassError
from convertkit.graph.light import detach
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord
from tests.tiny import tiny_model


class Fills(GraphPass):
    """Fill up to a fixed number of rows."""

    name = "fills"
    effect = "rounding"
    filling: bool = True

    def pads(self) -> bool:
        return self.filling


def check(old: Any, new: Any, *, filling: bool = True) -> CheckRecord:
    models = detach(tiny_model(0)), detach(tiny_model(1))
    results = dict(zip((item.digest() for item in models), (old, new), strict=True))
    judge = Checker([{}], opener=lambda model: lambda inputs: (np.array(results[model.digest()]),))
    return judge.check(Fills(filling=filling), *models, changed=True)


@pytest.mark.parametrize("new", [[1.0, 2.0], [1.0, 2.0, 0.0, 0.0], [1.0, 2.0, 7.0]])
def test_rows_there_were_are_compared(new: list[float]) -> None:
    assert check([1.0, 2.0], new).max_error == 0


def test_nothing_found_is_filled_up_too() -> None:
    assert check(np.zeros((0, 4)), np.zeros((3, 4))).structure


def test_a_row_that_differs_is_refused() -> None:
    with pytest.raises(PassError, match="changes by up to 1"):
        check([1.0, 2.0], [1.0, 3.0, 0.0])


def test_rows_behind_that_differ_might_be_results() -> None:
    with pytest.raises(PassError, match="not all alike behind the 2 there were"):
        check([1.0, 2.0], [1.0, 2.0, 5.0, 0.0])


@pytest.mark.parametrize("new", [[1.0], [[1.0, 2.0]]])
def test_fewer_rows_and_another_rank_are_refused(new: Any) -> None:
    with pytest.raises(PassError, match="changed the shape"):
        check([1.0, 2.0], new)


def test_two_longer_axes_are_no_filling() -> None:
    with pytest.raises(PassError, match="changed the shape"):
        check([[1.0]], [[1.0, 0.0], [0.0, 0.0]])


def test_another_pass_may_not_change_the_length() -> None:
    with pytest.raises(PassError, match="changed the shape"):
        check([1.0], [1.0, 0.0], filling=False)
