"""A verification: the rungs that were asked for, measured on one course, and the verdict on the last of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from msgspec import Struct, structs

from convertkit.conversion.engine import BuildResult
from convertkit.conversion.events import Note, Report, silent
from convertkit.conversion.request import BuildRequest
from convertkit.datasets.coco import LeftOut
from convertkit.errors import ConvertkitError, GraphError, TargetError, UnavailableError, UsageError
from convertkit.models.spec import AccuracySpec
from convertkit.storage.files import home, work_directory
from convertkit.targets.context import RuntimeOptions
from convertkit.verification.data import Source
from convertkit.verification.framework import recorded_framework
from convertkit.verification.gates import demanded, gates_of
from convertkit.verification.intervals import ALPHA, SEED, Difference, Resampled, levels, looks
from convertkit.verification.journal import Journals
from convertkit.verification.judge import Verdict, judge
from convertkit.verification.measuring import measure
from convertkit.verification.rung_names import RungName, in_order
from convertkit.verification.rungs import Course, Rung, tasks_of
from convertkit.verification.stream import StreamError

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress display for a title and a number of images; yields what is told how many are done."""


class Verification(Struct, frozen=True):
    """What ``convertkit verify`` found.

    Attributes:
        model, variant, target: what was verified.
        images: number of photos.
        left_out: how many more could not be read, and how many annotations they have.
        notes: what a reader of the figures has to know, a line each.
        rungs: from the framework down to the target.
        verdict: the accuracy spec's, on the lowest rung that was measured.
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


def verify(
    requests: Sequence[BuildRequest],
    make: Callable[[], Sequence[BuildResult]] | None,
    source: Source,
    rungs: Iterable[RungName],
    *,
    limit: int | None = None,
    tasks: Sequence[str] = (),
    skip_bad: bool = False,
    recorded: bool = False,
    until_decided: bool = False,
    results: Path | None = None,
    options: RuntimeOptions | None = None,
    ready: bool = True,
    bar: Bar = lambda title, total: contextlib.nullcontext(lambda count: None),
    report: Report = silent,
) -> Verification:
    """Measures rungs on a dataset.

    Args:
        requests: one for each of the variant's profiles, or the only one.
        make: builds the artifacts, once the dataset was found to be whole; needed for the ``target`` rung.
        rungs: which ones to measure; the last of the ladder is judged.
        tasks: ``bbox``, ``segm`` or both; all that the model has by default.
        skip_bad: leave out photos that cannot be read.
        recorded: show the framework's recorded figures where that rung is not measured, but all its images are.
        until_decided: measure ever more photos until the gates of the accuracy spec are decided.
        results: directory to keep the detections in (COCO results, one JSON object a line).
        options: for the runtime of the ``target`` rung.
        ready: every rung must be measured; if not, the target is left out where this machine has no runtime for it,
            and so is an emulation that does not cover the target's options.
    """
    wanted, request = in_order(dict.fromkeys(rungs)), requests[0]
    own = source.own and limit is None
    spec = request.variant.spec.accuracy
    if until_decided:
        _refuse_nothing_to_decide(request, wanted)
    chosen = tasks_of(request.package, tasks)
    dataset = source.open(limit, tasks=chosen, skip_bad=skip_bad)
    dataset.refuse_nothing_to_find()
    built = make() if make else None
    with _results_directory(results) as directory:
        journals = Journals(journals_place(results), report)
        course = Course(tuple(requests), dataset, directory, chosen, journals)
        notes = course.notes()
        for line in notes:
            report(Note(line))
        ladder = _Ladder(wanted, built, options, ready, bar, report)
        known = _recorded(course, wanted) if recorded and own else []
        for look, alpha in _looks(course) if until_decided else [(course, ALPHA)]:
            measured = ladder.measure(look, [*known])
            found = Resampled.of(len(look.dataset.images), look.matches)
            whole = limit is None and len(look.dataset.images) == len(dataset.images)
            verdict = _judged(look, measured[-1], own=source.own, all_images=whole)
            verdict = verdict.with_gates(*gates_of(spec, found, measured, own=source.own, alpha=alpha))
            if not verdict.undecided:
                break
        if not any(rung.failure for rung in measured):
            journals.discard()
    return Verification(
        model=request.package.spec.name,
        variant=request.variant.name,
        target=request.target.name,
        images=len(look.dataset.images),
        left_out=dataset.left_out,
        notes=(*notes, *(f"{rung.name}: {rung.note}" for rung in measured if rung.note), *_references(spec)),
        rungs=tuple(structs.replace(rung, intervals=found.intervals(rung)) for rung in measured),
        verdict=verdict,
        differences=found.differences(measured),
    )


def _references(spec: AccuracySpec) -> Iterator[str]:
    """Published figures, a line for each label."""
    for label, tasks in spec.references.items():
        figures = (
            f"{task} {metric} {value:.4f}" for task, found in tasks.items() for metric, value in found.items()
        )
        yield f"reference {label}: {', '.join(figures)}"


@dataclass(frozen=True)
class _Ladder:
    """The rungs to measure and what they need, whatever the photos."""

    wanted: Sequence[RungName]
    built: Sequence[BuildResult] | None
    options: RuntimeOptions | None
    ready: bool
    bar: Bar
    report: Report

    def measure(self, course: Course, measured: list[Rung]) -> list[Rung]:
        """The rungs that are known, and those that are measured now; one that breaks is a result beside others.

        Raises:
            ConvertkitError: a rung cannot be measured, and no other was.
        """
        broken: ConvertkitError | None = None
        for rung in self.wanted:
            try:
                with self.bar(rung.text, len(course.dataset.images)) as advance:
                    measured.append(measure(rung, course, self.built, self.options, advance, self.report))
            except UnavailableError as error:
                if self.ready or not measured or not (rung.source == "target" or rung.emulation):
                    raise
                self.report(Note(f"rung {rung.text} is left out: {error.message}"))
            except (GraphError, StreamError, TargetError) as error:
                broken = broken or error
                measured.append(Rung(rung.text, {}, 0, failure=str(error)))
                self.report(Note(f"rung {rung.text} failed: {error.message}"))
        if broken is not None and not course.matches:
            raise broken
        return measured


def _refuse_nothing_to_decide(request: BuildRequest, wanted: Sequence[RungName]) -> None:
    """Without a gate that can be judged there is no moment at which it is decided."""
    names = {rung.text for rung in wanted}
    gates = list(demanded(request.variant.spec.accuracy))
    if not any(against in names or not against for against, *_ in gates):
        rungs = dict.fromkeys(against for against, *_ in gates)
        hint = f"measure rung {', '.join(rungs)}" if rungs else "give `drop` or `floor` in its accuracy spec"
        raise UsageError(
            f"variant {request.variant.name} has no gate that --until-decided could decide", hint=hint
        )


def _looks(course: Course) -> Iterator[tuple[Course, float]]:
    """The photos in an order of chance, twice as many at every look, and how often that look may err."""
    order = np.random.default_rng(SEED).permutation(len(course.dataset.images))
    images = tuple(course.dataset.images[index] for index in order)
    counts = looks(len(images))
    for count, alpha in zip(counts, levels(counts), strict=True):
        dataset = replace(course.dataset, images=images[:count])
        yield replace(course, dataset=dataset, matches={}), alpha


def _judged(course: Course, rung: Rung, *, own: bool, all_images: bool) -> Verdict:
    if rung.failure:
        return Verdict(True, False, f"rung {rung.name} failed: {rung.failure}")
    dataset = course.dataset
    return judge(
        rung.scores,
        course.request.variant.spec.accuracy,
        images=len(dataset.images),
        own=own,
        all_images=all_images,
        left_out=str(dataset.left_out) if dataset.left_out.photos else "",
    )


def _recorded(course: Course, wanted: Sequence[RungName]) -> list[Rung]:
    """The framework's figures as ``model.yaml`` has them, where they are known and not measured."""
    known = recorded_framework(course.request)
    if known is None or (wanted and wanted[0].source == "framework"):
        return []
    scores = {task: known.scores[task] for task in course.tasks if task in known.scores}
    return [structs.replace(known, scores=scores)]


def journals_place(results: Path | None) -> Path:
    """Where the journals of a verification lie: with its results, which may outlast this machine, else in the cache."""
    return home() / "journals" if results is None else results / ".journals"


@contextlib.contextmanager
def _results_directory(results: Path | None) -> Iterator[Path]:
    if results is not None:
        results.mkdir(parents=True, exist_ok=True)
        yield results
        return
    with work_directory("verify") as scratch:
        yield scratch
