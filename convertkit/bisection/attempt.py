"""One pass, one graph, one sample: does it fail there, and how?"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from convertkit.bisection.report import Failure
from convertkit.errors import GivenGraphError, PassError
from convertkit.graph.session import Arrays
from convertkit.graph.validate import validate
from convertkit.passes.base import Effect, Pass
from convertkit.passes.check import Checker
from convertkit.passes.history import CheckRecord
from convertkit.passes.roles import named_roles
from convertkit.passes.running import Opener, Outputs, Run, open_on_host
from convertkit.passes.stages import Stage, run_stage
from convertkit.passes.state import GraphState

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

Named = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Attempt:
    """A pass that failed on a graph.

    Attributes:
        before: the graph it was given, which holds.
        after: the graph it left; None where it raised something.
        inputs, expected, got: the sample, and the outputs of both graphs by name; ``got`` is None where there are none.
        consequence: for a part of a larger graph, what this part alone does to the outputs of that.
    """

    failure: Failure
    before: LightModel
    after: LightModel | None
    inputs: Named
    expected: Named
    got: Named | None
    consequence: str = ""


def attempt(step: Pass, model: LightModel, inputs: Arrays, opener: Opener = open_on_host) -> Attempt | None:
    """Runs one pass on one graph and checks it on one sample, value by value; None where it holds.

    Raises:
        GraphError: the graph itself does not hold.
    """
    validate(model)
    expected = opener(model)(inputs)
    stage = run_stage(GraphState(model), step)

    def known(graph: LightModel) -> Run:
        return (lambda sample: expected) if graph is model else opener(graph)

    failure, _ = judge(stage, Checker([inputs], named_roles(model), known, probes=False))
    if failure is None:
        return None
    feeds = complete(inputs, [step], stage.after or model)
    got = None if failure.kind in ("raises", "invalid") or stage.after is None else opener(stage.after)(feeds)
    return Attempt(
        failure,
        model,
        stage.after,
        feeds,
        _named(model, expected),
        None if got is None or stage.after is None else _named(stage.after, got),
    )


def judge(stage: Stage, checker: Checker) -> tuple[Failure | None, CheckRecord]:
    """What is wrong with a stage (None: nothing), and what was found.

    Raises:
        GraphError: the graph before the pass does not hold.
    """
    if stage.after is None:
        assert stage.failure is not None
        why = stage.failure.message.removeprefix(f"pass {stage.step.name}: ")
        return Failure("raises", why), CheckRecord(False, detail=why)
    try:
        return None, checker.check(stage.step, stage.before, stage.after, changed=stage.changed)
    except GivenGraphError as error:
        raise error.__cause__ or error from error
    except PassError as error:
        cause = error.__cause__
        differs = cause is None or isinstance(cause, PassError)
        why = _as_judged(stage.step, error.message)
        return Failure("differs" if differs else "invalid", why), CheckRecord(differs, detail=why)


def alike(one: Failure, other: Failure) -> bool:
    """Whether two failures are the same defect as far as can be told: for an exception the text, but for numbers."""
    if one.kind != other.kind:
        return False
    return one.kind != "raises" or _masked(one.why) == _masked(other.why)


def judged_as(step: Pass, effect: Effect | None) -> Pass:
    """The same pass under another declared effect, for a stricter look; as it is where ``effect`` is None."""
    cls = type(step)
    if effect is None or effect == step.effect:
        return step
    own = {"effect": effect, "declared": step.effect, "__doc__": cls.__doc__, "__module__": cls.__module__}
    twin = type(cls.__name__, (cls,), own)
    values = {option.name: getattr(step, option.name) for option in dataclasses.fields(step)}
    return twin(**values)  # type: ignore[no-any-return]


def complete(inputs: Arrays, steps: Iterable[Pass], model: LightModel) -> Named:
    """A sample with values for what these passes have added to the inputs of ``model``."""
    added = {name: value for step in steps for name, value in step.added_inputs(model).items()}
    return {**added, **inputs}


def _as_judged(step: Pass, line: str) -> str:
    """The checker's line, where a pass does not declare the effect it is judged by."""
    if not hasattr(step, "declared"):
        return line
    return line.replace(f"it declares effect {step.effect} but", f"judged as {step.effect},")


def _masked(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _named(model: LightModel, values: Outputs) -> Named:
    return dict(zip((value.name for value in model.proto.graph.output), values, strict=True))
