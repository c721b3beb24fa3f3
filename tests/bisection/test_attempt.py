from __future__ import annotations

from typing import Any

import pytest
from convertkit_passes.set_opset_window import SetOpsetWindow

from convertkit.bisection.attempt import judge
from convertkit.errors import GivenGraphError, GraphError, ProcessError
from convertkit.graph.light import detach
from convertkit.passes.check import Checker
from convertkit.passes.stages import run_stage
from convertkit.passes.state import GraphState
from tests.tiny import tiny_model


class Refusing(Checker):
    """A check that finds the graph before the pass amiss, for the reason that ``error`` gives."""

    error: Exception

    def check(self, *_: Any, **__: Any) -> Any:
        raise GivenGraphError("as another words it") from self.error


@pytest.mark.parametrize(
    "error", [GraphError("no such node"), ProcessError("not enough memory", hint="more")]
)
def test_what_is_amiss_before_the_pass_keeps_its_exit_code(error: Exception) -> None:
    stage = run_stage(GraphState(detach(tiny_model())), SetOpsetWindow())
    checker = Refusing([])
    checker.error = error

    with pytest.raises(type(error)) as caught:
        judge(stage, checker)

    assert caught.value is error
