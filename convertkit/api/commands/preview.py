"""``build --explain`` and ``--dry-run``: what a build would do; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.api.commands.asking import request_of
from convertkit.api.commands.explain import Explained, Questions
from convertkit.api.commands.pages import Block, Table
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, said

if TYPE_CHECKING:
    from convertkit.conversion.preview import Preview


def explain(
    model: Place, texts: Sequence[str], plugin: Sequence[Place], *, report: Report, **words: Any
) -> Explained:
    """What passes find where; graphs come from the store where it has them, and the artifact is not touched."""
    from convertkit.conversion.stages import stored_stages
    from convertkit.passes.stages import graphs

    request = request_of(model, plugin, report=report, **words)
    questions = Questions(texts, request.pipeline, request.plugins)
    stock, stages = stored_stages(request, report=report)
    return questions.answers(graphs(stock, stages))


def preview(
    model: Place, output: Path | None, plugin: Sequence[Place], *, report: Report, **words: Any
) -> Preview:
    """Steps, their keys, and which of them the store has; nothing runs."""
    from convertkit.conversion.preview import preview

    request = request_of(model, plugin, report=report, **words)
    return preview(request, output or request.directory, notice=said(report))


def page_of(found: Preview) -> Iterator[Block]:
    """A row for each step."""
    rows = [
        [str(number), step.kind, step.name, step.effect or "-", step.key[:12], step.state]
        for number, step in enumerate(found.steps, 1)
    ]
    yield Table(["#", "step", "name", "effect", "key", "state"], rows, right=[0])
    yield f"{found.directory}: {found.state}; nothing was run or written"
