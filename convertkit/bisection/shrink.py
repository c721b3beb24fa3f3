"""From a pass that fails on a large graph to the few nodes on which it fails as well."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from convertkit.bisection.attempt import Attempt, alike, attempt, complete, judged_as
from convertkit.bisection.consequence import Consequences
from convertkit.bisection.divergence import compare, regions
from convertkit.bisection.minimize import minimize
from convertkit.bisection.part import part_of
from convertkit.bisection.recorder import Recorder
from convertkit.bisection.report import Failure
from convertkit.detection.roles import Roles
from convertkit.errors import ConvertkitError, GraphError
from convertkit.graph.graph import open_graph
from convertkit.graph.session import Arrays
from convertkit.graph.shapes import annotate
from convertkit.passes.base import Effect, Pass
from convertkit.passes.check import TOLERANCE
from convertkit.passes.roles import named_roles
from convertkit.passes.running import Opener, open_on_host

if TYPE_CHECKING:
    from convertkit.passes.stages import Stage

SECONDS = 180.0
"""Time given to the search; what has been reached by then is what is delivered."""

TRIES = 60
"""How many regions between agreeing and diverging tensors are tried."""

STRICTER: dict[Effect, tuple[Effect, ...]] = {
    "exact": ("exact",),
    "rounding": ("rounding", "exact"),
    "semantic": ("rounding", "exact"),
}
"""The effects by which a pass of some effect is judged, one after the other, until a graph of its own shows something:
detections as sets and accuracy see what single tensors within tolerance do not."""


def reproduce(
    stage: Stage,
    failure: Failure,
    samples: Iterable[Arrays],
    opener: Opener = open_on_host,
    *,
    roles: Roles | None = None,
    seconds: float = SECONDS,
) -> tuple[Pass, Attempt] | None:
    """The failure of a stage on as few nodes as can be found; None where no sample shows it.

    Outputs that differ are followed to the first tensor that differs; from there, and for other failures from the whole
    graph, nodes are left out as long as the pass fails in the same way - and, put into the whole graph, what differs in
    this part makes the outputs differ too.

    Args:
        samples: inputs of the graph before the pass, tried one after the other.
        opener: how graphs are run for the verdict.
        roles: what the outputs of the whole graph mean; guessed where nobody says.

    Returns:
        The pass, under the effect by which it was judged, and how it fails.
    """
    differs = failure.kind in ("differs", "accuracy")
    wanted = Failure("differs", failure.why) if differs else failure
    taken, until, tried = list(samples), time.monotonic() + seconds, False
    for effect in STRICTER[stage.step.effect] if differs else (stage.step.effect,):
        step = judged_as(stage.step, effect)
        for inputs in taken:
            if tried and time.monotonic() >= until:
                return None
            tried, found = True, _Search(step, stage, inputs, wanted, opener, roles, until).result()
            if found is not None:
                return step, found
    return None


class _Search:
    """Trials of parts of one graph on one sample; keeps the smallest that fails alike."""

    def __init__(
        self,
        step: Pass,
        stage: Stage,
        inputs: Arrays,
        wanted: Failure,
        opener: Opener,
        roles: Roles | None,
        until: float,
    ) -> None:
        self._step, self._stage, self._inputs, self._wanted = step, stage, inputs, wanted
        self._opener, self._until = opener, until
        self._graph = open_graph(stage.before)
        with contextlib.suppress(GraphError):
            annotate(self._graph)
        self._recorder = Recorder(stage.before, inputs)
        roles = named_roles(stage.before) if roles is None else roles
        self._consequences = Consequences(step, stage.before, inputs, roles, opener)
        self._best: tuple[int, Attempt] | None = None

    def result(self) -> Attempt | None:
        start: Collection[int] | None = self._where_they_part() or self._whole()
        if start is not None:
            minimize(sorted(start), self.shows, self.go_on)
        return None if self._best is None else self._best[1]

    def go_on(self) -> bool:
        return time.monotonic() < self._until

    def shows(self, positions: Collection[int]) -> bool:
        """Whether the pass fails alike on these nodes alone."""
        try:
            model, inputs = part_of(self._graph, frozenset(positions), self._recorder)
            found = self._with_consequence(attempt(self._step, model, inputs, self._opener))
        except (ConvertkitError, ValueError, TypeError):  # these nodes are no graph that stands on its own
            return False
        return self._takes(len(positions), found)

    def _with_consequence(self, found: Attempt | None) -> Attempt | None:
        """None where what differs in the part does no harm to the whole."""
        if found is None or found.got is None or self._wanted.kind != "differs":
            return found
        harm = self._consequences.of(found.expected, found.got)
        return None if harm is None else replace(found, consequence=harm)

    def _whole(self) -> Collection[int] | None:
        """All nodes, where the pass fails on the graph as it is; it may refuse inputs at the bounds of the pass."""
        try:
            found = attempt(self._step, self._stage.before, self._inputs, self._opener)
        except GraphError:
            return None
        everything = range(len(self._graph.nodes))
        return everything if self._takes(len(everything), found) else None

    def _where_they_part(self) -> Collection[int] | None:
        """The smallest region before one of the first diverging tensors on which the pass fails."""
        if self._wanted.kind != "differs" or self._stage.after is None:
            return None
        limit = 0.0 if self._step.effect == "exact" else TOLERANCE
        try:
            feeds = complete(self._inputs, [self._step], self._stage.after)
            agree, differ = compare(self._recorder, Recorder(self._stage.after, feeds), limit)
        except GraphError:
            return None
        return next(
            (part for part in self._some(regions(self._graph, agree, differ)) if self.shows(part)), None
        )

    def _some(self, parts: Iterator[frozenset[int]]) -> Iterator[frozenset[int]]:
        for number, part in enumerate(parts):
            if number >= TRIES or not self.go_on():
                return
            yield part

    def _takes(self, nodes: int, found: Attempt | None) -> bool:
        if found is None or not alike(found.failure, self._wanted):
            return False
        if self._best is None or nodes < self._best[0]:
            self._best = (nodes, found)
        return True
