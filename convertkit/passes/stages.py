"""A pipeline taken pass by pass: the graph each pass was given and the graph it left, with nothing checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convertkit.errors import PassError
from convertkit.passes.base import Pass
from convertkit.passes.history import PassRecord
from convertkit.passes.pipeline import naming, run_step
from convertkit.passes.state import GraphState

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class Stage:
    """One pass and what it did.

    Attributes:
        step: the pass.
        before: the graph it was given.
        after: the graph it left; None where it raised something.
        failure: what it raised, as a PassError of one line.
        record: what changed; None where it failed, or where the graph was there already.
    """

    step: Pass
    before: LightModel
    after: LightModel | None
    failure: PassError | None = None
    record: PassRecord | None = None

    @property
    def changed(self) -> bool:
        """Whether the pass left another graph."""
        return self.after is not None and self.after.digest() != self.before.digest()


def stages(steps: Iterable[Pass], model: LightModel) -> Iterator[Stage]:
    """Runs passes one after the other; the first that raises something is the last stage."""
    state = GraphState(model)
    for step in steps:
        stage = run_stage(state, step)
        yield stage
        if stage.failure is not None:
            return


def run_stage(state: GraphState, step: Pass) -> Stage:
    """Runs one pass on the state."""
    before = state.model
    try:
        with naming((step,), 0):
            record = run_step(state, step)
    except PassError as error:
        return Stage(step, before, None, error)
    return Stage(step, before, state.model, record=record)


def graphs(model: LightModel, stages: Iterable[Stage]) -> Iterator[LightModel]:
    """The graph before the first pass, then the graph after each.

    Raises:
        PassError: a pass failed.
    """
    yield model
    for stage in stages:
        if stage.failure is not None:
            raise stage.failure
        assert stage.after is not None
        yield stage.after
