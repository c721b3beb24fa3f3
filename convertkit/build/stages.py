"""The graphs between the steps of a build: from the store where it has them, else made; no pass is checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from convertkit.build.engine import StepRecord, plan, stock_graph
from convertkit.build.events import Note, Report, StepFinished, StepStarted, silent
from convertkit.build.store import Store
from convertkit.passes.options import step_text
from convertkit.passes.stages import Stage, run_stage
from convertkit.passes.state import GraphState

if TYPE_CHECKING:
    from convertkit.build.engine import Step
    from convertkit.build.request import BuildRequest
    from convertkit.graph.light import LightModel


def stored_stages(
    request: BuildRequest, *, store: Store | None = None, report: Report = silent
) -> tuple[LightModel, Iterator[Stage]]:
    """The stock graph, and the passes of a request one after the other; the first that fails is the last.

    A graph that a checked build has left in the store serves as well as one of an unchecked build; what has to be made
    is kept as an unchecked build keeps it.
    """
    store = store or Store(notice=lambda line: report(Note(line)))
    model = stock_graph(request, store=store, report=report)
    return model, _stages(request, model, store, report)


def _stages(request: BuildRequest, model: LightModel, store: Store, report: Report) -> Iterator[Stage]:
    checked, plain = (plan(replace(request, check=check)) for check in (True, False))
    for position, step in enumerate(request.pipeline.steps, 1):
        number = (position + 1, len(plain))
        report(StepStarted("pass", step_text(step), *number))
        known = _known(store, checked[position], plain[position])
        stage = run_stage(GraphState(model), step) if known is None else Stage(step, model, known)
        if stage.after is None:
            yield stage
            return
        if stage.record is not None:
            store.put(plain[position].key, stage.after, StepRecord.of(model, stage.after, stage.record))
        report(StepFinished("pass", step_text(step), *number, known is not None, stage.record))
        yield stage
        model = stage.after


def _known(store: Store, *steps: Step) -> LightModel | None:
    """The graph of the first of these steps that the store has."""
    for step in steps:
        entry = store.find(step.key)
        model = store.load(entry) if entry else None
        if model is not None:
            return model
    return None
