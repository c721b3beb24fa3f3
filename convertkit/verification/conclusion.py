"""What follows from rungs that were measured: intervals, differences, gates and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct, structs

from convertkit.datasets.coco import CocoDataset, LeftOut
from convertkit.datasets.subset import Subset
from convertkit.models.spec import AccuracySpec
from convertkit.rungs.rung import Course, Rung
from convertkit.scoring.intervals import ALPHA, Difference, Resampled
from convertkit.verification.gates import gates_of
from convertkit.verification.judge import Verdict, judge


class Verification(Struct, frozen=True):
    """What ``convertkit verify`` found.

    Attributes:
        model, variant, target: what was verified.
        images: number of photos.
        left_out: how many more could not be read, and how many annotations they have.
        notes: what a reader of the figures has to know, a line each.
        rungs: from the framework down to the target.
        verdict: the accuracy spec's, on the lowest rung that was measured.
        subset: which choice of photos was measured, where not all were asked for.
        differences: of each rung against the one above it and against the first, with their 95 % intervals.
    """

    model: str
    variant: str
    target: str
    images: int
    left_out: LeftOut
    notes: tuple[str, ...]
    rungs: tuple[Rung, ...]
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    subset: Subset | None = None


Told = Callable[[Verification, CocoDataset, Path], object]
"""Takes what was found, the photos that were measured, and the directory of detections before that may go."""


def conclude(
    course: Course, rungs: Sequence[Rung], *, notes: Sequence[str], whole: bool, alpha: float = ALPHA
) -> Verification:
    """All that is said of rungs whose matches the course has.

    Args:
        rungs: recorded ones and those that were measured; the last is judged.
        notes: of the course, on all its photos.
        whole: the photos are all that there are.
        alpha: how often a gate may be wrong.
    """
    terms, dataset = course.terms, course.dataset
    found = Resampled.of(len(dataset.images), course.matches)
    verdict = _judged(course, rungs[-1], all_images=whole and terms.all_photos)
    gates = gates_of(terms.accuracy, found, rungs, own=terms.own, alpha=alpha)
    doubts = (f"{rung.name}: {rung.note}" for rung in rungs if rung.note)
    return Verification(
        model=terms.model,
        variant=terms.variant,
        target=terms.target,
        images=len(dataset.images),
        left_out=dataset.left_out,
        notes=(*notes, *doubts, *_references(terms.accuracy)),
        rungs=tuple(structs.replace(rung, intervals=found.intervals(rung)) for rung in rungs),
        verdict=verdict.with_gates(*gates),
        differences=found.differences(rungs),
        subset=terms.subset,
    )


def _references(spec: AccuracySpec) -> Iterator[str]:
    """Published figures, a line for each label."""
    for label, tasks in spec.references.items():
        figures = (
            f"{task} {metric} {value:.4f}" for task, found in tasks.items() for metric, value in found.items()
        )
        yield f"reference {label}: {', '.join(figures)}"


def _judged(course: Course, rung: Rung, *, all_images: bool) -> Verdict:
    if rung.failure:
        return Verdict(True, False, f"rung {rung.name} failed: {rung.failure}")
    dataset = course.dataset
    return judge(
        rung.scores,
        course.terms.accuracy,
        images=len(dataset.images),
        own=course.terms.own,
        all_images=all_images,
        left_out=str(dataset.left_out) if dataset.left_out.photos else "",
    )
