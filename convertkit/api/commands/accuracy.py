"""Figures of accuracy and what a spec says of them, in lines and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from convertkit.api.commands.pages import Block, Judged, Table
from convertkit.errors import AccuracyError, UndecidedError, visible
from convertkit.scoring.mistakes import KINDS, WHOLE

if TYPE_CHECKING:
    from convertkit.rungs.rung import Rung
    from convertkit.scoring.intervals import Estimate
    from convertkit.verification.judge import Verdict

RECALL = ("AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
COLUMNS = ("AP", "AP50", "AP75", "APs", "APm", "APl")
OUTCOMES = {"pass": "ok  ", "fail": "BAD ", "undecided": "?   "}


def refuse_missed(subject: str, verdict: Verdict) -> None:
    """Raises AccuracyError where the accuracy is below the spec, UndecidedError where more photos decide."""
    if not verdict.ok:
        missed = [demand for demand in verdict.demands if verdict.judged and not demand.ok]
        shut = [gate for gate in verdict.gates if gate.outcome == "fail"]
        first = next(iter([*missed, *shut]), verdict.reason)
        raise AccuracyError(f"{subject}: {first}", hint="the accuracy spec is not met")
    if verdict.undecided:
        gate = next(gate for gate in verdict.gates if gate.outcome == "undecided")
        raise UndecidedError(f"{subject}: {gate}", hint="measure more photos")


def figure(value: float | None) -> str:
    """Four digits; a dash where there was nothing to measure (COCO's -1)."""
    return "-" if value is None or value < 0 else f"{value:.4f}"


def with_interval(found: Estimate, sign: str = "") -> str:
    """A figure, in four digits, and half the width of its 95 % interval."""
    return f"{found.value:{sign}.4f} +- {found.half:.4f}"


def classes_table(per_class: Mapping[str, Mapping[str, float]]) -> Table:
    """AP of every class, a column per task; classes of which nothing was to be found are left out."""
    tasks = list(per_class)
    names = dict.fromkeys(name for scores in per_class.values() for name in scores)
    rows = [
        [name, *(figure(per_class[task].get(name)) for task in tasks)]
        for name in names
        if any(per_class[task].get(name, -1) >= 0 for task in tasks)
    ]
    return Table(["class", *(f"{task} AP" for task in tasks)], rows, whole=True)


def details_of(rungs: Sequence[Rung], task: str) -> Iterator[Block]:
    """Average recall, and what goes wrong by kind, a row for each rung that has it."""
    known = [rung for rung in rungs if rung.mistakes.get(task)]
    if not known:
        return
    recall = [[rung.name, *(figure(rung.scores[task].get(name)) for name in RECALL)] for rung in known]
    yield from ("", Table([f"{task} recall", *RECALL], recall, whole=True))
    costs = [[rung.name, *(f"{rung.mistakes[task][kind].ap50:.4f}" for kind in KINDS)] for rung in known]
    counts = [
        f"{count}" if (count := known[-1].mistakes[task][kind].count) is not None else "-" for kind in KINDS
    ]
    rows = [*costs, [f"of {known[-1].name}, count", *counts]]
    part = f", first {WHOLE:,} photos" if known[-1].images > WHOLE else ""
    yield from ("", Table([f"{task} AP50 lost{part}", *KINDS], rows, whole=True))


def legend() -> str:
    """What the kinds of errors are."""
    return "by TIDE: " + ", ".join(f"{kind} {words}" for kind, words in KINDS.items())


def verdict_lines(verdict: Verdict, notes: Sequence[str]) -> Iterator[Block]:
    """What the accuracy spec says, line by line, and what a reader of the figures has to know."""
    for demand in verdict.demands if verdict.judged else ():
        yield Judged("ok  " if demand.ok else "BAD ", str(demand))
    for gate in verdict.gates:
        yield Judged(OUTCOMES[gate.outcome], str(gate))
    for line in (
        *(f"{task}, which was not measured" for task in verdict.tasks_left_out),
        *verdict.gates_left_out,
    ):
        yield f"not judged: {line}"
    if not (verdict.judged or (verdict.gates and not verdict.demands)):
        yield f"not judged: {verdict.reason}"
    for line in notes:
        yield f"note: {visible(line)}"
