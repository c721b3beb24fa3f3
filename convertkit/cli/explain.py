"""``--explain`` and ``--dry-run``: what passes would do with a graph, printed, nothing written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from convertkit.cli.tables import print_table
from convertkit.cli.ui import print_json
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.passes.base import Pass
    from convertkit.passes.finding import Finding
    from convertkit.passes.pipeline import Pipeline
    from convertkit.registry import Registry


class Questions:
    """Which passes are asked, and before which pass of the pipeline.

    Args:
        texts: step texts; one that is no step of the pipeline is asked about the graph after all passes.

    Raises:
        UsageError: a pass has no ``explain``; names those that have.
    """

    def __init__(self, texts: Sequence[str], pipeline: Pipeline, registry: Registry[type[Pass]]) -> None:
        from convertkit.passes.options import build, parse_step

        self.pipeline = pipeline
        self.places: list[tuple[int, Pass]] = []
        for text in texts:
            name, options = parse_step(text)
            step = build(registry.get(name), options)
            _require_explain(step, registry)
            self.places += self._places(step, bare=not options)
        self.places.sort(key=lambda place: place[0])

    def answers(self, graphs: Iterable[LightModel]) -> Iterator[dict[str, Any]]:
        """Runs as many passes as it takes (``graphs``: before the first, after each) and asks."""
        from convertkit.passes.explain import findings
        from convertkit.passes.options import step_text

        waiting = list(self.places)
        for position, model in enumerate(graphs):
            while waiting and waiting[0][0] == position:
                _, step = waiting.pop(0)
                yield {
                    "pass": step.name,
                    "text": step_text(step),
                    "after": [item.name for item in self.pipeline.steps[:position]],
                    "findings": findings(step, model),
                }
            if not waiting:
                return

    def _places(self, step: Pass, *, bare: bool) -> list[tuple[int, Pass]]:
        steps = self.pipeline.steps
        same = [place for place in enumerate(steps) if place[1].name == step.name]
        found = same if bare else [place for place in same if place[1] == step]
        return found or [(len(steps), step)]


def print_answers(answers: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    """Each pass with its findings, one a line."""
    if as_json:
        print_json({"explained": list(answers)})
        return
    for answer in answers:
        earlier = f" (after {', '.join(answer['after'])})" if answer["after"] else ""
        print(f"{answer['text']}{earlier}: {_count(answer['findings'])}")
        for item in answer["findings"]:
            at = f", at {item.tensor!r}" if item.tensor else ""
            print(f"  {item.status:<8} {item.where}: {item.why}{at}")


def outlook(pipeline: Pipeline, graphs: Iterable[LightModel]) -> list[dict[str, Any]]:
    """Every pass in order with what it declares, and what it would do where it can say so (else None).

    Runs the passes, in memory, as far as the last that explains itself needs it.
    """
    from convertkit.passes.explain import explains, findings

    steps = pipeline.steps
    rows = [_declared(step) for step in steps]
    last = max((place for place, step in enumerate(steps) if explains(type(step))), default=-1)
    for (place, step), model in zip(enumerate(steps[: last + 1]), graphs, strict=False):
        if explains(type(step)):
            rows[place]["findings"] = findings(step, model)
    return rows


def print_outlook(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """The plan as a table."""
    if as_json:
        print_json({"passes": rows})
        return
    cells = [
        [str(number), row["text"], row["effect"], _order(row), _count(row["findings"])]
        for number, row in enumerate(rows, 1)
    ]
    print_table(["#", "pass", "effect", "order", "would"], cells, right=[0])
    print("nothing written (--explain PASS lists what a pass finds)")


def _require_explain(step: Pass, registry: Registry[type[Pass]]) -> None:
    from convertkit.passes.explain import explains

    if not explains(type(step)):
        able = ", ".join(entry.name for entry in registry if explains(entry.item)) or "none"
        raise UsageError(f"pass {step.name} has no explain", hint=f"these have: {able}")


def _declared(step: Pass) -> dict[str, Any]:
    from convertkit.passes.options import step_text

    return {
        "pass": step.name,
        "text": step_text(step),
        "effect": step.effect,
        "after": list(step.after),
        "before": list(step.before),
        "requires": list(step.requires),
        "findings": None,
    }


def _order(row: dict[str, Any]) -> str:
    parts = [f"{word} {', '.join(row[word])}" for word in ("requires", "after", "before") if row[word]]
    return "; ".join(parts) or "-"


def _count(found: Sequence[Finding] | None) -> str:
    if found is None:
        return "-"
    if not found:
        return "found no candidate"
    matched = sum(item.status == "matched" for item in found)
    return f"{matched} matched, {len(found) - matched} refused"
