"""A plan of precisions for a graph: what has to stay in fp32 so that its detections stay within a limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from convertkit.conversion.precision_plan import OPTION, WHOLE, Entry, Figure, PrecisionPlan, Why
from convertkit.errors import UsageError
from convertkit.precision.candidates import Pattern, Piece, patterns
from convertkit.precision.costs import costs
from convertkit.precision.evaluating import Evaluator
from convertkit.precision.loss import beside
from convertkit.precision.overflow import Needed, needed, together
from convertkit.precision.ranges import Ranges
from convertkit.precision.search import Kept, Search
from convertkit.storage.progress import Bar, no_bar
from convertkit.targets.mixed import mixed_of

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.precision.loss import Loss

LIMIT = 0.08
"""Of the loss, unless told otherwise. On 8 photos mini's rewritten graph in all fp16, whose AP is that of fp32 but for
chance, has 0.053 with 0.077 as the upper end, and mini48's 0.026 with 0.055; mini's stock graph on a canvas of 1200
pixels has 0.076 with 0.090 where only what overflows is kept, and a box AP that is 0.06 lower."""

BUDGET = 30
"""Evaluations unless told otherwise."""

FEWEST = 2
"""Photos: one has no interval."""


def check(request: BuildRequest, limit: float, budget: int) -> None:
    """Whether a plan can be asked for.

    Raises:
        UsageError: a limit that is no loss, no evaluation, options that do not go with a plan. UnavailableError: the
            target has no mixture of precisions.
    """
    mixed, options = mixed_of(request.target), request.context.options
    if not 0 < limit < 1:
        raise UsageError(f"--loss {limit:g} is no limit", hint="give a number between 0 and 1")
    if budget < 1:
        raise UsageError(f"--budget {budget}: at least 1 evaluation")
    if options.get(mixed.option):
        given = f"options {OPTION} and {mixed.option} say what is"
        raise UsageError(f"a plan begins with nothing kept: {given}", hint="leave them out")
    mixed.options([""], options)


@dataclass
class Planner:
    """Plans one graph.

    Args:
        evaluator: of the graph, on the photos that decide.
        ranges: of the graph in fp32 on the same photos; not asked for where nothing has to be kept.
        limit: of the loss, 0..1; met where its 95 % interval ends there or below.
        budget: evaluations.
        bar: opened for every evaluation that has to be made.
        rung: the name of the graph.

    Raises:
        UsageError: too few photos for an interval. As :func:`check`.
    """

    evaluator: Evaluator
    ranges: Callable[[], Ranges]
    limit: float = LIMIT
    budget: int = BUDGET
    bar: Bar = no_bar
    rung: str = WHOLE

    def __post_init__(self) -> None:
        check(self.evaluator.request, self.limit, self.budget)
        if len(self.evaluator.dataset.images) < FEWEST:
            raise UsageError(f"a plan needs at least {FEWEST} photos", hint="give a larger --limit")
        self.cannot = mixed_of(self.evaluator.request.target).cannot_keep(self.evaluator.model)

    def plan(self) -> PrecisionPlan:
        """Searches; what was evaluated before comes from the store, and counts as well.

        Raises:
            GraphError: the graph fails in fp32, or what it finds is not finite.
        """
        search = Search(self._loss, self.limit, self.budget)
        search.run(lambda: self.overflowing, lambda: self.patterns)
        nothing = search.losses[frozenset()].seen
        empty = sum(not photo.matched + photo.lost for photo in nothing)
        if empty == len(nothing):
            raise UsageError(
                f"{self.rung} finds nothing in fp32 on any of {empty} photos, so that nothing can be lost",
                hint="other photos, or look at weights and normalisation with convertkit detect",
            )
        keep = self._best(search) if search.met is None else search.met
        request = self.evaluator.request
        return PrecisionPlan(
            model=request.package.spec.name,
            variant=request.variant.name,
            target=request.target.name,
            rung=self.rung,
            graph=self.evaluator.model.digest(),
            photos=tuple(str(image) for image in self.evaluator.dataset.images),
            limit=self.limit,
            met=search.met is not None,
            all_fp16=_figure(search.losses[frozenset()]),
            planned=_figure(search.losses[keep]),
            all_kept=_figure(search.losses[search.all]) if search.all in search.losses else None,
            evaluations=len(search.losses),
            budget_ended=search.ended,
            nodes=len(self.evaluator.model.proto.graph.node),
            entries=tuple(self._entries(keep, search)),
            impossible=dict(self.needed.impossible) if search.met != frozenset() else {},
            failed=sum(photo.failed for photo in nothing),
            empty=empty,
            left_out=self._left_out if search.met != frozenset() else (),
        )

    @cached_property
    def needed(self) -> Needed:
        return needed(self.evaluator.model, self._ranges, self.cannot)

    @cached_property
    def _ranges(self) -> Ranges:
        return self.ranges()

    @property
    def _left_out(self) -> tuple[str, ...]:
        unnamed = sum(not node.name for node in self.evaluator.model.proto.graph.node)
        nodes = (f"{unnamed} nodes without a name, which a plan cannot keep",) if unnamed else ()
        return (*(f"not measured: {text}" for text in self._ranges.unmeasured), *nodes)

    @cached_property
    def _largest(self) -> Mapping[str, float | None]:
        return {one.name: one.largest for one in self._ranges.tensors}

    @cached_property
    def patterns(self) -> Sequence[Pattern]:
        return patterns(self.evaluator.model, self._ranges, {*self.cannot, *self.needed.keep})

    def _loss(self, keep: Kept, place: int, whole: bool) -> Loss:
        beyond = math.inf if whole else self.limit
        if (known := self.evaluator.known(keep, beyond)) is not None:
            return known
        title = (
            f"evaluation {place} of at most {self.budget}, {len(keep)} node{'s' * (len(keep) != 1)} in fp32"
        )
        with self.bar(title, len(self.evaluator.dataset.images)) as advance:
            return self.evaluator.loss(keep, advance, beyond)

    def _best(self, search: Search) -> Kept:
        """Where nothing meets the limit: what overflows, if keeping it helps."""
        must = frozenset(self.needed.keep)
        values = {keep: loss.estimate.value for keep, loss in search.losses.items()}
        return must if values.get(must, 1.0) < values[frozenset()] else frozenset()

    def _entries(self, keep: Kept, search: Search) -> Iterator[Entry]:
        if not keep:
            return
        request, nodes = self.evaluator.request, self.evaluator.model.proto.graph.node
        order = {node.name: place for place, node in enumerate(nodes)}
        price = costs(self.evaluator.model, request.target.machine, request.context.pixels)
        whole = search.losses[frozenset()], search.losses[keep]
        left = set(keep)
        found: list[Entry] = []
        for piece in filter(keep.issuperset, self.overflowing):
            before = search.losses.get(keep.difference(piece), whole[0])
            tensor = max(
                (self.needed.keep[name] for name in piece), key=lambda name: _size(self._largest[name])
            )
            found.append(_entry(piece, "overflow", (before, whole[1]), price, tensor, self._largest[tensor]))
        found += [
            _entry(one.piece, "loss", (one.before, one.after), price)
            for one in search.needs
            if keep.issuperset(one.piece)
        ]
        left.difference_update(name for entry in found for name in entry.nodes)
        if left:
            found.append(_entry(tuple(sorted(left, key=order.__getitem__)), "undivided", whole, price))
        yield from sorted(found, key=lambda entry: order[entry.nodes[0]])

    @cached_property
    def overflowing(self) -> Sequence[Piece]:
        return together(self.evaluator.model, self.needed.keep)


def _entry(
    piece: Piece,
    why: Why,
    losses: tuple[Loss, Loss],
    price: Mapping[str, float | None] | None,
    tensor: str = "",
    largest: float | None = None,
) -> Entry:
    costs = [None if price is None else price.get(name, 0.0) for name in piece]
    known = [cost for cost in costs if cost is not None]
    cost = _rounded(sum(known)) if len(known) == len(costs) else None
    before, after = map(_rounded, beside(*losses))
    return Entry(
        piece,
        why,
        before,
        after,
        tensor,
        None if largest is None else _rounded(largest),
        cost,
        photos=None if losses[0].whole else len(losses[0].seen),
    )


def _figure(loss: Loss) -> Figure:
    found = loss.estimate
    return Figure(_rounded(found.value), _rounded(found.low), _rounded(found.high))


def _rounded(value: float) -> float:
    """Six digits: enough to compare, and what people read."""
    return float(f"{value:.6g}")


def _size(largest: float | None) -> float:
    return float("inf") if largest is None else largest
