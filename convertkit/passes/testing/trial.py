"""One pass on one graph, and what every rule of the kit wants to know of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property

from convertkit.errors import ConvertkitError
from convertkit.graph.light import LightModel
from convertkit.passes.base import Pass
from convertkit.passes.stages import Stage, run_stage
from convertkit.passes.state import GraphState
from convertkit.passes.testing.corpus import Sample


@dataclass(frozen=True)
class Trial:
    """A pass on a graph of its own: nothing that it does to that reaches another trial."""

    step: Pass
    sample: Sample

    @cached_property
    def before(self) -> LightModel:
        """What the pass is given, and may have changed by now."""
        return _copy(self.sample.model)

    @cached_property
    def stage(self) -> Stage:
        """The run."""
        return run_stage(GraphState(self.before), self.step)

    @property
    def after(self) -> LightModel | None:
        """What it left; None where it refused or failed."""
        return self.stage.after

    @cached_property
    def changed(self) -> bool:
        """Whether it left another graph than it was given."""
        return self.after is not None and self.after.digest() != self.sample.model.digest()

    @property
    def refusal(self) -> str:
        """The line with which it refused the graph; empty where it did not, or failed otherwise."""
        return self._said(isinstance(self._cause, ConvertkitError))

    @property
    def crash(self) -> str:
        """What it raised that is no error of convertkit; empty where there is none."""
        return self._said(not isinstance(self._cause, ConvertkitError))

    @cached_property
    def repeated(self) -> Stage:
        """The same pass on another copy of the same graph."""
        return run_stage(GraphState(_copy(self.sample.model)), self.step)

    @cached_property
    def again(self) -> Stage:
        """The same pass on what it left."""
        assert self.after is not None
        return run_stage(GraphState(_copy(self.after)), self.step)

    @cached_property
    def explained(self) -> LightModel:
        """What its explanation is given."""
        return _copy(self.sample.model)

    @property
    def _cause(self) -> BaseException | None:
        return None if self.stage.failure is None else self.stage.failure.__cause__

    def _said(self, asked: bool) -> str:
        return self.stage.failure.message if self.stage.failure is not None and asked else ""


def _copy(model: LightModel) -> LightModel:
    return LightModel(deepcopy(model.proto), dict(model.weights))
