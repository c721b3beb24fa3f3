"""A verification: the rungs that were asked for, measured on one course, and the verdict on the last of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from msgspec import structs

from convertkit.conversion.engine import BuildResult
from convertkit.conversion.events import Note, Report, silent
from convertkit.conversion.request import BuildRequest
from convertkit.datasets.subset import Subset, made
from convertkit.errors import ConvertkitError, GraphError, TargetError, UnavailableError, UsageError
from convertkit.rungs.framework import recorded_framework
from convertkit.rungs.hands import Hand, LostPhotosError
from convertkit.rungs.journal import Journals
from convertkit.rungs.names import RungName, in_order
from convertkit.rungs.rung import Course, Ran, Rung, score, tasks_of
from convertkit.rungs.stream import StreamError
from convertkit.rungs.terms import Terms
from convertkit.scoring.intervals import ALPHA, SEED, levels, looks
from convertkit.storage.files import home, work_directory
from convertkit.storage.progress import Bar, no_bar
from convertkit.storage.urls import Url, Where
from convertkit.targets.context import RuntimeOptions
from convertkit.verification.conclusion import Told, Verification, conclude
from convertkit.verification.data import Source
from convertkit.verification.gates import demanded
from convertkit.verification.measuring import measure
from convertkit.verification.sealed import NAME, ShardRecord, place_of, seal
from convertkit.verification.shards import WHOLE, Shard


def verify(
    requests: Sequence[BuildRequest],
    make: Callable[[], Sequence[BuildResult]] | None,
    source: Source,
    rungs: Iterable[RungName],
    *,
    limit: int | None = None,
    subset: Subset | None = None,
    tasks: Sequence[str] = (),
    skip_bad: bool = False,
    recorded: bool = False,
    until_decided: bool = False,
    shard: Shard = WHOLE,
    workers: int = 1,
    hire: Callable[..., Hand] | None = None,
    results: Where | None = None,
    options: RuntimeOptions | None = None,
    ready: bool = True,
    bar: Bar = no_bar,
    report: Report = silent,
    told: Told = lambda found, dataset, results: None,
) -> Verification | ShardRecord:
    """Measures rungs on a dataset, or on a part of it, where nothing is concluded yet.

    Args:
        requests: one for each of the variant's profiles, or the only one.
        make: builds the artifacts, once the dataset was found to be whole; needed for the ``target`` rung.
        rungs: which ones to measure; the last of the ladder is judged.
        subset: a choice of the photos, which is recorded with what makes it known again.
        tasks: ``bbox``, ``segm`` or both; all that the model has by default.
        skip_bad: leave out photos that cannot be read, and those that end workers.
        recorded: show the framework's recorded figures where that rung is not measured, but all its images are.
        until_decided: measure ever more photos until the gates of the accuracy spec are decided.
        shard: which part of the photos; it needs ``results``, in which a directory of its own is made.
        workers: in how many processes photos are run, each with its own runtime; 1 is this one.
        hire: makes each of them, as :func:`convertkit.workers.local.local` does; even one, where it is given.
        results: directory to keep the detections in (COCO results, one JSON object a line); what has a URL is written
            there when all is measured.
        options: for the runtime of the ``target`` rung.
        ready: every rung must be measured; if not, the target is left out where this machine has no runtime for it,
            and so is an emulation that does not cover the target's options.
        told: of the whole, not of a shard.
    """
    wanted, request = in_order(dict.fromkeys(rungs)), requests[0]
    if until_decided:
        _refuse_nothing_to_decide(request, wanted)
    if shard != WHOLE:
        results = place_of(shard, results, until_decided=until_decided)
    terms = Terms.of(requests, tasks_of(request.package, tasks), own=source.own, limit=limit)
    dataset = source.open(limit, subset=subset, part=shard.part, tasks=terms.tasks, skip_bad=skip_bad)
    terms = structs.replace(terms, subset=made(dataset.found, subset))
    if shard == WHOLE:
        dataset.refuse_nothing_to_find()
    built = make() if make else None
    with _results_directory(results) as directory:
        journals = Journals(journals_place(results), report)
        course = Course(terms, dataset, directory, journals, tuple(requests), workers, skip_bad, hire)
        ladder = _Ladder(wanted, built, options, ready, bar, report)
        known = _recorded(course, wanted) if recorded and source.own and terms.all_photos else []

        def end(course: Course) -> Verification | ShardRecord:
            if shard == WHOLE:
                kept = results is not None and not until_decided
                return _concluded(course, ladder, known, told, until_decided=until_decided, kept=kept)
            return seal(course, shard, ladder.run(course), known)

        found = _without_lost(course, end)
    if not any(rung.failure for rung in found.rungs):
        journals.discard()  # not before all results are at their place
    return found


def _without_lost(
    course: Course, end: Callable[[Course], Verification | ShardRecord]
) -> Verification | ShardRecord:
    """A photo that is lost on one rung is left out of all: those that have it are scored again, from their journals."""
    while True:
        try:
            return end(course)
        except LostPhotosError as error:
            if not course.skip_bad or len(error.lost) == len(course.dataset.images):
                raise
            course = course.without(error.lost)


def _concluded(
    course: Course, ladder: _Ladder, known: Sequence[Rung], told: Told, *, until_decided: bool, kept: bool
) -> Verification:
    """``kept``: leaves a record beside the detections, as of the only shard, which ``merge`` reads."""
    notes = course.notes()
    for line in notes:
        ladder.report(Note(line))
    photos = len(course.dataset.images)
    for look, alpha in _looks(course) if until_decided else [(course, ALPHA)]:
        ran = ladder.run(look)
        rungs = [*known, *[score(look, one) for one in ran]]
        whole = len(look.dataset.images) == photos
        found = conclude(look, rungs, notes=notes, whole=whole, alpha=alpha)
        if not (found.verdict.undecided or found.verdict.waiting):
            break
    if kept:
        seal(look, WHOLE, ran, known)
    told(found, look.dataset, look.results)
    return found


@dataclass(frozen=True)
class _Ladder:
    """The rungs to measure and what they need, whatever the photos."""

    wanted: Sequence[RungName]
    built: Sequence[BuildResult] | None
    options: RuntimeOptions | None
    ready: bool
    bar: Bar
    report: Report

    def run(self, course: Course) -> list[Ran]:
        """What every rung found is in the results; one that breaks is a result beside others.

        Raises:
            ConvertkitError: a rung cannot be measured, and no other was.
        """
        ran: list[Ran] = []
        broken: ConvertkitError | None = None
        for rung in self.wanted:
            try:
                with self.bar(rung.text, len(course.dataset.images)) as advance:
                    ran.append(measure(rung, course, self.built, self.options, advance, self.report))
            except UnavailableError as error:
                if self.ready or not ran or not (rung.source == "target" or rung.emulation):
                    raise
                self.report(Note(f"rung {rung.text} is left out: {error.message}"))
            except (GraphError, StreamError, TargetError) as error:
                broken = broken or error
                ran.append(Ran(rung.text, failure=str(error)))
                self.report(Note(f"rung {rung.text} failed: {error.message}"))
        if broken is not None and all(one.failure for one in ran):
            raise broken
        return ran


def _refuse_nothing_to_decide(request: BuildRequest, wanted: Sequence[RungName]) -> None:
    """Without a gate that can be judged there is no moment at which it is decided."""
    names = {rung.text for rung in wanted[:-1]}  # the last is judged
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


def _recorded(course: Course, wanted: Sequence[RungName]) -> list[Rung]:
    """The framework's figures as ``model.yaml`` has them, where they are known and not measured."""
    known = recorded_framework(course.request)
    if known is None or (wanted and wanted[0].source == "framework"):
        return []
    scores = {task: known.scores[task] for task in course.terms.tasks if task in known.scores}
    return [structs.replace(known, scores=scores)]


def journals_place(results: Where | None) -> Path:
    """Where the journals of a verification lie: with its results, which may outlast this machine, else in the cache."""
    return home() / "journals" if results is None or isinstance(results, Url) else results / ".journals"


@contextlib.contextmanager
def _results_directory(results: Where | None) -> Iterator[Path]:
    if isinstance(results, Path):
        results.mkdir(parents=True, exist_ok=True)
        yield results
        return
    if results is not None:
        results.is_dir()  # raises now, not after hours, where nothing can reach it
    with work_directory("verify") as scratch:
        yield scratch
        if results is not None:
            results.put_all(scratch, last=[NAME])
