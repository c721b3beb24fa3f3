"""What a search over stages ends with, and the linear search: outputs before and after, pass by pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from convertkit.bisection.attempt import judge
from convertkit.bisection.report import Failure, Verdict
from convertkit.passes.check import Checker
from convertkit.passes.options import step_text
from convertkit.passes.stages import Stage

Observe = Callable[[Verdict], object]


@dataclass(frozen=True)
class Found:
    """The stages that were looked at, and the first bad one; ``position`` is its place in the pipeline, from 0."""

    verdicts: tuple[Verdict, ...]
    position: int = 0
    culprit: Stage | None = None
    failure: Failure | None = None


def by_outputs(stages: Iterable[Stage], checker: Checker, observe: Observe) -> Found:
    """Judges stages one after the other on the checker's samples, up to the first that fails.

    Raises:
        GraphError: the graph before the first pass does not hold.
    """
    verdicts = []
    for stage in stages:
        failure, record = judge(stage, checker)
        verdict = Verdict(
            step_text(stage.step), stage.step.effect, failure is None, record.detail, record.unchecked
        )
        verdicts.append(verdict)
        observe(verdict)
        if failure is not None:
            return Found(tuple(verdicts), len(verdicts) - 1, stage, failure)
    return Found(tuple(verdicts))
