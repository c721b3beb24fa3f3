"""The sweep: which settings of the levers are looked at, and what is found of each."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from convertkit.conversion.events import Note, Report, silent
from convertkit.errors import ConvertkitError
from convertkit.storage.progress import Bar, no_bar
from convertkit.tuning.front import Point, Price, Setting, front_of
from convertkit.tuning.judging import Judge
from convertkit.tuning.levers import Lever

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest

BUDGET = 24
"""Points unless told otherwise."""

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """A setting as requests, one for each of its profiles, and what their graphs cost."""

    requests: tuple[BuildRequest, ...]
    graphs: tuple[str, ...]
    price: Price


@dataclass
class Sweep:
    """Looks at settings, as it is first.

    Where all of them are within the budget they are the grid. Else each choice alone, and then, round by round, what is
    one step of one lever away from the front.

    Args:
        make: of a setting; its error says why it cannot be had.
        judge: None where only prices are asked for.
        budget: points at most.
    """

    levers: Sequence[Lever]
    make: Callable[[Setting], Made]
    judge: Judge | None
    budget: int = BUDGET
    bar: Bar = no_bar
    report: Report = silent
    points: dict[Setting, Point] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seen: set[Setting] = field(default_factory=set)
    impossible: set[tuple[int, int]] = field(default_factory=set)
    known: dict[bytes, int] = field(default_factory=dict)

    def run(self) -> tuple[Point, ...]:
        """All points, those of the front marked.

        Raises:
            ConvertkitError: the model as it is cannot be had.
        """
        self._look((0,) * len(self.levers))
        self._all(self._alone())
        if self.size <= self.budget:
            self._all(itertools.product(*(range(len(lever.choices)) for lever in self.levers)))
        else:
            while self._all(list(self._beside())):
                pass
        return self._marked()

    @property
    def size(self) -> int:
        """Of the whole grid."""
        return math.prod(len(lever.choices) for lever in self.levers)

    @property
    def ended(self) -> bool:
        """Whether the budget left settings unseen that would have been looked at."""
        left = itertools.chain(self._alone(), self._beside())
        return len(self.seen) >= self.budget and any(map(self._is_new, left))

    def _all(self, settings: Iterator[Setting] | Sequence[Setting]) -> bool:
        """Looks at those that were not seen, as many as may be; whether there was one."""
        new = [one for one in dict.fromkeys(settings) if self._is_new(one)]
        for setting in new[: self.budget - len(self.seen)]:
            self._look(setting)
        return len(self.seen) < self.budget and bool(new)

    def _is_new(self, setting: Setting) -> bool:
        """Whether it was not seen, and no choice in it is one that cannot be had alone."""
        choices = [(place, choice) for place, choice in enumerate(setting) if choice]
        return setting not in self.seen and not self.impossible.intersection(choices)

    def _alone(self) -> Iterator[Setting]:
        for place, lever in enumerate(self.levers):
            for choice in range(1, len(lever.choices)):
                yield tuple(choice * (other == place) for other in range(len(self.levers)))

    def _beside(self) -> Iterator[Setting]:
        front = {point.number for point in front_of([*self.points.values()])}
        for setting, point in [*self.points.items()]:
            for place, lever in enumerate(self.levers) if point.number in front else ():
                for step in (1, -1):
                    if 0 <= (choice := setting[place] + step) < len(lever.choices):
                        yield (*setting[:place], choice, *setting[place + 1 :])

    def _look(self, setting: Setting) -> None:
        self.seen.add(setting)
        words = {
            lever.name: lever.choices[choice].word for lever, choice in zip(self.levers, setting, strict=True)
        }
        changed = tuple(lever.name for lever, choice in zip(self.levers, setting, strict=True) if choice)
        point = Point(len(self.points) + 1, words, changed, (), Price(0, None, 0, {}))
        try:
            made = self.make(setting)
            point = structs.replace(point, graphs=made.graphs, price=made.price)
            measured = self._measured(point, setting) if self.judge else None
        except ConvertkitError as error:
            if not changed:
                raise
            self._leave_out(setting, point.name, error.message)
            return
        same = next((one.number for one in self.points.values() if one.graphs == point.graphs), None)
        if same is not None:
            self._leave_out(setting, point.name, f"its graph is that of point {same}")
            return
        self.points[setting] = self._with_accuracy(structs.replace(point, measured=measured))

    def _leave_out(self, setting: Setting, name: str, why: str) -> None:
        self.failed[name] = why
        self.report(Note(f"{name} is left out: {why}"))
        choices = [(place, choice) for place, choice in enumerate(setting) if choice]
        self.impossible.update(choices if len(choices) == 1 else ())

    def _measured(self, point: Point, setting: Setting) -> int:
        """The number of the point that has its accuracy: itself, or one whose graphs mean the same."""
        assert self.judge is not None
        pairs = zip(self.levers, setting, strict=True)
        meaning = tuple(choice if lever.meaning else 0 for lever, choice in pairs)
        made = self.make(meaning)
        key = _meaning(made)
        if key not in self.known:
            images = len(self.judge.dataset.images)
            with self.bar(f"point {point.number} of at most {self._most}: {point.name}", images) as advance:
                self.judge.measure(point.number, made.requests, made.graphs, advance)
            self.known[key] = point.number
        return self.known[key]

    @property
    def _most(self) -> int:
        return min(self.size, self.budget)

    def _with_accuracy(self, point: Point) -> Point:
        """With figures beside the first point, whose intervals come from the same samples."""
        if self.judge is None or point.measured is None:
            return point
        rung = self.judge.rungs[point.measured]
        scores = {task: found["AP"] for task, found in rung.scores.items()}
        return structs.replace(point, scores=scores, differences=self.judge.differences(point.measured, 1))

    def _marked(self) -> tuple[Point, ...]:
        front = front_of([*self.points.values()])
        marks: dict[int, bool | None] = {}
        for faster, point in zip([None, *front], front, strict=False):
            marks[point.number] = None if faster is None else self._within_noise(point, faster)
        return tuple(
            structs.replace(point, front=point.number in marks, within_noise=marks.get(point.number))
            for point in self.points.values()
        )

    def _within_noise(self, point: Point, faster: Point) -> bool | None:
        if self.judge is None or point.measured is None or faster.measured is None:
            return None
        found = self.judge.differences(point.measured, faster.measured)
        return all(one.chance for one in found.values())


def _meaning(made: Made) -> bytes:
    """What is found in photos depends on it alone."""
    first = made.requests[0]
    sizes = [request.variant.spec.size for request in made.requests]
    around = first.package.preprocess_spec(first.variant), first.package.spec.postprocess
    return msgspec.json.encode([made.graphs, sizes, around])
