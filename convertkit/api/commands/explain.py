"""``--explain`` and ``--dry-run``: what passes would do with a graph; nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.errors import UsageError
from convertkit.graph.finding import Finding

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.passes.base import Pass
    from convertkit.passes.pipeline import Pipeline
    from convertkit.plugins.loading import Plugins


class Answer(Struct, frozen=True):
    """What a pass says of a graph, behind those that stand in ``after``."""

    name: str = field(name="pass")
    text: str
    after: tuple[str, ...]
    findings: tuple[Finding, ...]


class Explained(Shown, Struct, frozen=True):
    """``--explain``: each pass with its findings."""

    explained: tuple[Answer, ...]

    def page(self) -> Iterator[Block]:
        for answer in self.explained:
            earlier = f" (after {', '.join(answer.after)})" if answer.after else ""
            yield f"{answer.text}{earlier}: {_count(answer.findings)}"
            for item in answer.findings:
                at = f", at {item.tensor!r}" if item.tensor else ""
                yield f"  {item.status:<8} {item.where}: {item.why}{at}"


class Planned(Struct, frozen=True):
    """A pass to come; ``findings`` is None where the pass cannot say what it would do."""

    name: str = field(name="pass")
    text: str
    effect: str
    after: tuple[str, ...]
    before: tuple[str, ...]
    requires: tuple[str, ...]
    findings: tuple[Finding, ...] | None


class Plan(Shown, Struct, frozen=True):
    """``opt --dry-run``: every pass in order, with what it declares."""

    passes: tuple[Planned, ...]

    def page(self) -> Iterator[Block]:
        cells = [
            [str(number), row.text, row.effect, _order(row), _count(row.findings)]
            for number, row in enumerate(self.passes, 1)
        ]
        yield Table(["#", "pass", "effect", "order", "would"], cells, right=[0])
        yield "nothing written (--explain PASS lists what a pass finds)"


class Questions:
    """Which passes are asked, and before which pass of the pipeline.

    Args:
        texts: step texts; one that is no step of the pipeline is asked about the graph after all passes.

    Raises:
        UsageError: a pass has no ``explain``; names those that have.
    """

    def __init__(self, texts: Sequence[str], pipeline: Pipeline, plugins: Plugins) -> None:
        from convertkit.passes.options import build, parse_step

        self.pipeline = pipeline
        self.places: list[tuple[int, Pass]] = []
        for text in texts:
            name, options = parse_step(text)
            step = build(plugins.passes.get(name), options)
            _require_explain(step, plugins)
            self.places += self._places(step, bare=not options)
        self.places.sort(key=lambda place: place[0])

    def answers(self, graphs: Iterable[LightModel]) -> Explained:
        """Runs as many passes as it takes (``graphs``: before the first, after each) and asks."""
        return Explained(tuple(self._answers(graphs)))

    def _answers(self, graphs: Iterable[LightModel]) -> Iterator[Answer]:
        from convertkit.passes.explain import findings
        from convertkit.passes.options import step_text

        waiting = list(self.places)
        for position, model in enumerate(graphs):
            while waiting and waiting[0][0] == position:
                _, step = waiting.pop(0)
                after = tuple(item.name for item in self.pipeline.steps[:position])
                yield Answer(step.name, step_text(step), after, tuple(findings(step, model)))
            if not waiting:
                return

    def _places(self, step: Pass, *, bare: bool) -> list[tuple[int, Pass]]:
        steps = self.pipeline.steps
        same = [place for place in enumerate(steps) if place[1].name == step.name]
        found = same if bare else [place for place in same if place[1] == step]
        return found or [(len(steps), step)]


def outlook(pipeline: Pipeline, graphs: Iterable[LightModel]) -> Plan:
    """Every pass in order with what it declares, and what it would do where it can say so.

    Runs the passes, in memory, as far as the last that explains itself needs it.
    """
    from convertkit.passes.explain import explains, findings

    steps = pipeline.steps
    found: dict[int, tuple[Finding, ...]] = {}
    last = max((place for place, step in enumerate(steps) if explains(type(step))), default=-1)
    for (place, step), model in zip(enumerate(steps[: last + 1]), graphs, strict=False):
        if explains(type(step)):
            found[place] = tuple(findings(step, model))
    return Plan(tuple(_planned(step, found.get(place)) for place, step in enumerate(steps)))


def _require_explain(step: Pass, plugins: Plugins) -> None:
    from convertkit.passes.explain import explains

    if not explains(type(step)):
        able = ", ".join(entry.name for entry in plugins.passes if explains(entry.item)) or "none"
        raise UsageError(f"pass {step.name} has no explain", hint=f"these have: {able}")


def _planned(step: Pass, found: tuple[Finding, ...] | None) -> Planned:
    from convertkit.passes.options import step_text

    order = (tuple(step.after), tuple(step.before), tuple(step.requires))
    return Planned(step.name, step_text(step), step.effect, *order, found)


def _order(row: Planned) -> str:
    parts = [
        f"{word} {', '.join(names)}"
        for word, names in (("requires", row.requires), ("after", row.after), ("before", row.before))
        if names
    ]
    return "; ".join(parts) or "-"


def _count(found: Sequence[Finding] | None) -> str:
    if found is None:
        return "-"
    if not found:
        return "found no candidate"
    matched = sum(item.status == "matched" for item in found)
    return f"{matched} matched, {len(found) - matched} refused"
