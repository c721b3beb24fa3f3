"""A graph on its way through the pipeline, and who made its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from convertkit.conversion.engine import graph_after
from convertkit.conversion.events import Report, silent
from convertkit.conversion.origins import origins
from convertkit.conversion.planning import StepRecord, plan
from convertkit.conversion.store import Store

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.graph.light import LightModel


def traced(
    request: BuildRequest, passes: int, *, report: Report = silent
) -> tuple[LightModel, dict[str, str]]:
    """As :func:`~convertkit.conversion.engine.graph_after`, and where each node comes from, by its name.

    A pass whose record is gone from the store again is not known as the author of its nodes.
    """
    graph, store = graph_after(request, passes, report=report), Store()
    entries = [store.find(step.key) for step in plan(request)[1 : passes + 1]]
    records = [msgspec.json.decode(entry.record(), type=StepRecord) for entry in entries if entry]
    return graph, origins(graph.proto.graph, [(known.record.name, known.created) for known in records])
