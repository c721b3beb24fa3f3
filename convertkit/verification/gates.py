"""What intervals decide: floors, and the most that may be lost against another rung."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from convertkit.errors import SpecError, suggestion
from convertkit.models.spec import AccuracySpec
from convertkit.scoring.intervals import ALPHA, Estimate, Outcome, Resampled, Scored, figure

TASKS = ("bbox", "segm")
VOID = "nothing in the annotations counts for it"
MANY = 10_000_000
"""More photos than anyone has."""


class Gate(Struct, frozen=True):
    """A floor or an allowed drop beside what was measured, all in 0..1.

    Attributes:
        against: the rung that a drop is counted from; empty for a floor.
        measured: the metric, or how much less it is than with ``against``.
        photos: about how many settle it, where it is undecided.
    """

    task: str
    metric: str
    against: str
    measured: Estimate
    limit: float
    outcome: Outcome
    photos: int | None = None

    def __str__(self) -> str:
        allowed = "spec allows" if self.against else "spec demands"
        found = f"{self.measured.value:.4f} +- {self.measured.half:.4f}"
        what = gate_text(self.against, self.task, self.metric)
        return f"{what} {found}, {allowed} {self.limit:g}: {self.outcome}{self._rest}"

    @property
    def _rest(self) -> str:
        if self.outcome != "undecided":
            return ""
        if self.photos is None:
            return ", and no number of photos is likely to settle this"
        return f", about {self.photos} photos settle this"


def gates_of(
    spec: AccuracySpec, found: Resampled, rungs: Sequence[Scored], *, own: bool, alpha: float = ALPHA
) -> tuple[tuple[Gate, ...], tuple[str, ...]]:
    """The gates of the spec for the last of the rungs, and those that cannot be judged, with the reason.

    Args:
        own: whether the photos are of the dataset that floors are for; drops are judged on any.
        alpha: how often a decision may be wrong.

    Raises:
        SpecError: the spec names a task or a metric that nobody knows.
    """
    gates, left_out = [], []
    judged, known = rungs[-1], {rung.name: rung for rung in rungs}
    for against, task, metric, limit in demanded(spec):
        names = dict.fromkeys((judged.name, against or judged.name))
        why = "the floor is for other photos" if not against and not own else ""
        why = "it is the rung that is judged" if against == judged.name else why
        if why := why or _unknown(found, known, names, task, metric):
            left_out.append(f"{gate_text(against, task, metric)}: {why}")
        else:
            reference = known[against] if against else None
            gates.append(_gate(found, judged, reference, task, metric, limit, alpha))
    return tuple(gates), tuple(left_out)


def demanded(spec: AccuracySpec) -> Iterator[tuple[str, str, str, float]]:
    """Rung (empty for floors), task, metric and limit of every gate."""
    for against, tasks in {"": spec.floor, **spec.drop}.items():
        for task, metrics in tasks.items():
            if task not in TASKS:
                raise SpecError(f"accuracy: unknown task {task!r}", hint=suggestion(task, TASKS))
            yield from ((against, task, metric, limit) for metric, limit in metrics.items())


def _unknown(
    found: Resampled, known: Mapping[str, Scored], names: Iterable[str], task: str, metric: str
) -> str:
    """Why there is nothing to say of a metric of these rungs; empty where there is."""
    for name in names:
        if name not in found.samples:
            return f"rung {name} was not measured"
        if task not in found.samples[name]:
            return f"{task} was not measured"
        if metric not in found.samples[name][task]:
            hint = suggestion(metric, found.samples[name][task])
            raise SpecError(f"accuracy: {task} has no metric {metric!r}", hint=hint)
        if figure(known[name], task, metric) < 0:
            return VOID
    return ""


def _gate(
    found: Resampled,
    judged: Scored,
    against: Scored | None,
    task: str,
    metric: str,
    limit: float,
    alpha: float,
) -> Gate:
    if against is not None:
        measured = found.difference(against, judged, task, metric)
        outcome = measured.outcome(limit, alpha)
    else:
        measured = found.estimate(judged, task, metric)
        outcome = measured.negative.outcome(-limit, alpha)
    photos = measured.photos(limit, found.photos)
    enough = int(photos) if outcome == "undecided" and photos <= MANY else None
    return Gate(task, metric, against.name if against else "", measured, limit, outcome, enough)


def gate_text(against: str, task: str, metric: str) -> str:
    """``bbox AP50``, or ``bbox AP50 drop against stock``."""
    return f"{task} {metric}{f' drop against {against}' if against else ''}"
