"""The pass after which accuracy is lost, by binary search: every measurement is a run over a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from convertkit.bisection.outputs import Found, Observe
from convertkit.bisection.report import Failure, Verdict
from convertkit.bisection.search import first_bad
from convertkit.errors import ConvertkitError, UnavailableError, UsageError
from convertkit.passes.options import step_text
from convertkit.verification.judge import Demand, Scores, judge

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.models.spec import AccuracySpec
    from convertkit.passes.stages import Stage

Measure = Callable[[str, "LightModel"], Scores]
"""A title and a graph to metrics by task."""


def by_accuracy(
    stock: LightModel, stages: Iterable[Stage], measure: Measure, spec: AccuracySpec, observe: Observe
) -> Found:
    """Searches for a pass before which the accuracy is that of the stock graph, within the spec's tolerance, and
    after which it is below.

    Args:
        spec: says which metrics count and how far they may fall; its expected values do not matter.
        observe: called with every verdict, in the order of the search.

    Raises:
        ConvertkitError: the stock graph cannot be measured.
    """
    taken = list(stages)
    search = _Search(stock, [stage for stage in taken if stage.after is not None], measure, spec, observe)
    bad = first_bad(len(search.stages), search.is_bad)
    if bad is not None:
        return Found(search.verdicts(), bad, search.stages[bad], search.failures[bad])
    last = taken[-1] if taken else None
    if last is None or last.failure is None:
        return Found(search.verdicts())
    why = last.failure.message.removeprefix(f"pass {last.step.name}: ")
    verdict = Verdict(step_text(last.step), last.step.effect, False, why)
    observe(verdict)
    return Found((*search.verdicts(), verdict), len(taken) - 1, last, Failure("raises", why))


def relative_to(spec: AccuracySpec, scores: Scores) -> AccuracySpec:
    """The spec with the stock graph's figures as what is expected; AP of every task where it demands nothing.

    Raises:
        UsageError: the stock graph has nothing that could be lost.
    """
    demands = judge(scores, spec, images=0, own=True).demands  # names a metric that nobody measures
    wanted = [(demand.task, demand.metric) for demand in demands] or [(task, "AP") for task in scores]
    told = [(task, metric) for task, metric in wanted if scores[task][metric] > spec.tolerance]
    if wanted and not told:  # -1 where there is nothing to find
        task, metric = wanted[0]
        raise UsageError(
            f"the stock graph has {task} {metric} {scores[task][metric]:.4f} on these photos: no pass can lose it",
            hint="take photos on which it finds something",
        )
    expected: dict[str, dict[str, float]] = {"bbox": {}, "segm": {}}
    for task, metric in told:
        expected[task][metric] = scores[task][metric]
    return msgspec.structs.replace(spec, images=None, framework={}, source="the stock graph", **expected)


class _Search:
    """Measurements so far; graphs that are equal are measured once."""

    def __init__(
        self, stock: LightModel, stages: list[Stage], measure: Measure, spec: AccuracySpec, observe: Observe
    ) -> None:
        self.stages, self._measure, self._observe = stages, measure, observe
        scores = measure("stock", stock)
        self._spec = relative_to(spec, scores)
        self._known: dict[str, tuple[bool, str]] = {stock.digest(): (True, "the stock graph")}
        self._verdicts: dict[int, Verdict] = {}
        self.failures: dict[int, Failure] = {}

    def is_bad(self, position: int) -> bool:
        stage = self.stages[position]
        assert stage.after is not None
        digest = stage.after.digest()
        if digest not in self._known:
            self._known[digest] = self._look(stage.step.name, stage.after)
        ok, detail = self._known[digest]
        verdict = Verdict(step_text(stage.step), stage.step.effect, ok, detail)
        self._verdicts[position] = verdict
        self._observe(verdict)
        if not ok:
            self.failures[position] = Failure("accuracy", detail)
        return not ok

    def verdicts(self) -> tuple[Verdict, ...]:
        """Of the passes that were looked at, in pipeline order."""
        return tuple(self._verdicts[position] for position in sorted(self._verdicts))

    def _look(self, title: str, model: LightModel) -> tuple[bool, str]:
        try:
            scores = self._measure(f"after {title}", model)
        except UnavailableError:
            raise
        except ConvertkitError as error:
            return False, f"it cannot be measured: {error.message}"
        demands = judge(scores, self._spec, images=0, own=True).demands
        missed = [demand for demand in demands if not demand.ok]
        return not missed, "; ".join(_line(demand) for demand in missed or demands)


def _line(demand: Demand) -> str:
    stock = f"stock {demand.expected:.4f}, may lose {demand.tolerance:g}"
    return f"{demand.task} {demand.metric} {demand.measured:.4f} ({stock})"
