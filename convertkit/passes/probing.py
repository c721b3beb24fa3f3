"""Running a graph before and after a pass on the inputs that the pass itself wants to be tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convertkit.errors import GraphError, PassError
from convertkit.graph.session import Arrays
from convertkit.passes.running import Opener, Outputs, Run

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.passes.base import Pass


@dataclass(frozen=True)
class Probed:
    """What came of the probes: how many were run, and that in words, to be put behind the result of the samples."""

    run: int = 0
    text: str = ""


def probe(
    step: Pass,
    before: LightModel,
    after: LightModel,
    sample: Arrays,
    opener: Opener,
    compare: Callable[[Outputs, Outputs], None],
) -> Probed:
    """Holds both graphs against each other on what ``step.probes`` asks for.

    Args:
        sample: the input from which the pass makes its own.
        compare: raises a PassError where outputs differ by more than the pass may change.

    Raises:
        PassError: the outputs differ, or only the graph after the pass fails.
    """
    wanted, why = at_bounds(step, before, sample)
    if not wanted:
        return Probed(0, f"; not tried at the bounds: {why}" if why else "")
    run_before, run_after = opener(before), opener(after)
    told = 0
    for inputs in wanted:
        try:
            expected = run_before(inputs)
        except GraphError:
            continue
        _hold(run_after, inputs, expected, compare)
        told += 1
    refused = len(wanted) - told
    rest = f" ({refused} more the graph itself refuses)" if refused else ""
    return Probed(told, f", also on {told} inputs at the bounds of what the pass assumes{rest}")


def at_bounds(step: Pass, before: LightModel, sample: Arrays) -> tuple[Sequence[Arrays], str]:
    """The inputs on which a pass is tried beside a sample; where there are none, perhaps why."""
    try:
        return step.probes(before, sample), ""
    except GraphError as error:
        return (), error.message


def _hold(run: Run, inputs: Arrays, expected: Outputs, compare: Callable[[Outputs, Outputs], None]) -> None:
    try:
        compare(expected, run(inputs))
    except GraphError as error:
        raise PassError(f"it left a graph that fails on inputs at its bounds: {error.message}") from error
    except PassError as error:
        raise PassError(
            f"{error.message}, on inputs at the bounds of what it assumes", hint=error.hint
        ) from error
