"""The graphs between the steps of a build: from the store where it has them, else made; no pass is checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from convertkit.conversion.engine import stock_graph
from convertkit.conversion.events import Report, StepFinished, StepStarted, noted, silent
from convertkit.conversion.planning import StepRecord, plan
from convertkit.conversion.store import Store
from convertkit.passes.options import step_text
from convertkit.passes.stages import Stage, run_stage
from convertkit.passes.state import GraphState

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.graph.light import LightModel


def stored_stages(request: BuildRequest, *, report: Report = silent) -> tuple[LightModel, Iterator[Stage]]:
    """The stock graph, and the passes of a request one after the other; the first that fails is the last.

    What has to be made is kept as an unchecked build keeps it.
    """
    store = Store(notice=noted(report))
    model = stock_graph(request, store=store, report=report)
    return model, _stages(request, model, store, report)


def _stages(request: BuildRequest, model: LightModel, store: Store, report: Report) -> Iterator[Stage]:
    steps = plan(replace(request, asked=replace(request.asked, check=False)))
    for position, step in enumerate(request.pipeline.steps, 1):
        number = (position + 1, len(steps))
        report(StepStarted("pass", step_text(step), *number))
        entry = store.find(steps[position].key)
        known = store.load(entry) if entry else None
        stage = run_stage(GraphState(model), step) if known is None else Stage(step, model, known)
        if stage.after is None:
            yield stage
            return
        if stage.record is not None:
            store.put(steps[position].key, stage.after, StepRecord.of(model, stage.after, stage.record))
        report(StepFinished("pass", step_text(step), *number, known is not None, stage.record))
        yield stage
        model = stage.after
