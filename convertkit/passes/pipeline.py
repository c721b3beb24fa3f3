"""An ordered tuple of passes: read from text, checked for its constraints, run step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from convertkit.children import limits
from convertkit.errors import ConvertkitError, PassError, UsageError
from convertkit.passes.base import Pass
from convertkit.passes.explain import left_alone, missed
from convertkit.passes.history import PassRecord, difference, op_counts
from convertkit.passes.options import build, parse_step, step_text
from convertkit.passes.state import GraphState
from convertkit.registry import Registry

if TYPE_CHECKING:
    from typing_extensions import Self

    from convertkit.graph.light import LightModel
    from convertkit.passes.check import Checker


class OrderError(UsageError):
    """A pass stands where it, or another one, says that it must not."""


@dataclass(frozen=True)
class Pipeline:
    """Passes in the order in which they run."""

    steps: tuple[Pass, ...]

    @classmethod
    def parse(cls, texts: Iterable[str], registry: Registry[type[Pass]]) -> Pipeline:
        """The pipeline of step texts such as ``simplify`` or ``rename-io{names={a: b}}``.

        Raises:
            UnknownNameError: no such pass. UsageError: a bad option, or an order that a pass forbids.
        """
        steps = []
        for text in texts:
            name, options = parse_step(text)
            steps.append(build(registry.get(name), options))
        pipeline = cls(tuple(steps))
        pipeline.check_order()
        return pipeline

    def with_more(self, more: Iterable[Pass]) -> Self:
        """Further steps, but for passes that it has, each right behind those that it requires or comes after.

        Raises:
            UsageError: an order that a pass forbids.
        """
        steps = list(self.steps)
        for step in more:
            if step.name in [item.name for item in steps]:
                continue
            ahead = [at for at, item in enumerate(steps) if item.name in (*step.requires, *step.after)]
            behind = [
                at for at, item in enumerate(steps) if item.name in step.before or step.name in item.after
            ]
            steps.insert(ahead[-1] + 1 if ahead else min(behind, default=len(steps)), step)
        pipeline = type(self)(tuple(steps))
        pipeline.check_order()
        return pipeline

    @property
    def text(self) -> str:
        """The canonical text; :func:`~convertkit.passes.options.split_steps` and :meth:`parse` read it back."""
        return ",".join(step_text(step) for step in self.steps)

    def check_order(self) -> None:
        """Raises an OrderError naming both passes where a declared ``after``, ``before`` or ``requires`` is broken.

        A pass that comes twice stands where it is wanted if one of the two does.
        """
        names = [step.name for step in self.steps]
        for position, step in enumerate(self.steps):
            earlier, later = names[:position], names[position + 1 :]
            for other in step.requires:
                if other not in earlier:
                    raise OrderError(
                        f"pass {step.name} requires {other} before it", hint=f"add {other} ahead of it"
                    )
            for other in step.after:
                if other in later and other not in earlier:
                    raise OrderError(f"pass {step.name} must come after {other}", hint="swap the two")
            for other in step.before:
                if other in earlier and other not in later:
                    raise OrderError(f"pass {step.name} must come before {other}", hint="swap the two")

    def run(
        self,
        model: LightModel,
        *,
        checker: Checker | None = None,
        observe: Callable[[PassRecord], object] | None = None,
    ) -> tuple[LightModel, tuple[PassRecord, ...]]:
        """Runs every pass in order.

        Args:
            model: the graph to begin with.
            checker: judges every step; without one, only the passes themselves run.
            observe: called with each record as it is made.

        Raises:
            PassError: a pass failed or did not hold; names it and those before it.
        """
        state, records = GraphState(model), []
        for position, step in enumerate(self.steps):
            before = state.model
            with naming(self.steps, position):
                record = run_step(state, step, checker=checker)
            records.append(replace(record, missed=missed(step, before, state.model)))
            if observe is not None:
                observe(records[-1])
        return state.model, tuple(records)


@contextmanager
def naming(steps: tuple[Pass, ...], position: int) -> Iterator[None]:
    """Whatever a pass or its check raises becomes a PassError that names it and those before it."""
    earlier = ", ".join(step.name for step in steps[:position])
    where = f"pass {steps[position].name}" + (f" (after {earlier})" if earlier else "")
    try:
        yield
    except ConvertkitError as error:
        raise PassError.of(f"pass {steps[position].name}", error, where) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise PassError(f"{where}: {reason}", hint="a defect in the pass") from error


def run_step(state: GraphState, step: Pass, *, checker: Checker | None = None) -> PassRecord:
    """Runs one pass on the state, checks it, and says what happened."""
    before, counts = state.model, op_counts(state.model)
    start = time.perf_counter()
    inputs = checker.input_bytes if checker else 0
    with limits.step(f"pass {step.name}", before.size, inputs):
        remarks = state.apply(step)
    seconds = time.perf_counter() - start
    after_counts = op_counts(state.model)
    added, removed = difference(counts, after_counts)
    changed = before.digest() != state.model.digest()
    with limits.step(f"the check of pass {step.name}", before.size + state.model.size, inputs):
        check = checker.timed(step, before, state.model, changed=changed) if checker else None
    return PassRecord(
        name=step.name,
        text=step_text(step),
        effect=step.effect,
        changed=changed,
        seconds=seconds,
        nodes_before=counts.total(),
        nodes_after=after_counts.total(),
        ops_added=added,
        ops_removed=removed,
        check=check,
        remarks=(*remarks, *left_alone(step, state.model)),
    )
