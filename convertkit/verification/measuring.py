"""A rung is measured: what its name means is opened, once for each profile, and the photos go through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from convertkit.conversion.engine import BuildResult
from convertkit.conversion.events import Report
from convertkit.conversion.request import BuildRequest
from convertkit.rungs.framework import in_framework
from convertkit.rungs.keys import framework_digest, rung_key
from convertkit.rungs.names import RungName
from convertkit.rungs.profiled import Unopened
from convertkit.rungs.rung import Course, Engine, Ran, in_process, run_by
from convertkit.rungs.subjects import Subject, takes_pixels
from convertkit.targets.context import RuntimeOptions
from convertkit.workers.crew import Crew
from convertkit.workers.local import local
from convertkit.workers.recipe import Recipe


def measure(
    rung: RungName,
    course: Course,
    built: Sequence[BuildResult] | None,
    options: RuntimeOptions | None,
    advance: Callable[[int], None],
    report: Report,
) -> Ran:
    """Measures a rung; ``built`` are the artifacts of the course's requests, for a target rung."""
    requests = course.requests
    if rung.source == "framework":
        key = rung_key(rung, requests, [framework_digest(request) for request in requests])
        return run_by(in_framework(course, report), rung.text, course, advance, key=key)
    artifacts: Sequence[BuildResult | None] = built or [None] * len(requests)
    each = [_below(options, request, course) for request in requests]
    parts = list(zip(requests, artifacts, each, strict=True))
    subjects = [Subject.of(rung, request, result, own, report) for request, result, own in parts]
    # Result files of another machine are read, not run: there is nothing to lose, and nothing to divide.
    key = rung_key(rung, requests, [subject.digest for subject in subjects])
    if options is not None and options.outputs is not None:
        return replace(run_by(_here(rung, subjects, course), rung.text, course, advance), key=key)
    if course.workers == 1 and course.hire is None:
        return run_by(_here(rung, subjects, course), rung.text, course, advance, key=key)
    recipe = Recipe.of(rung, requests, artifacts, each, key)
    needs = requests[0].target.resources(rung.runtime) if rung.source == "target" else {}
    crew = Crew(partial(course.hire or local, recipe, needs), course.workers, skip_bad=course.skip_bad)
    return run_by(crew, rung.text, course, advance, key=key)


def _here(rung: RungName, subjects: Sequence[Subject], course: Course) -> Engine:
    """A profile that no photo goes to is not opened: there may be no result files of it."""
    used = course.by_profile(course.dataset.images)
    parts = zip(subjects, course.terms.sizes, strict=True)
    runtimes = [subject.open() if profile in used else Unopened() for subject, profile in parts]
    return in_process(runtimes, course.requests, pixels=takes_pixels(rung, course.request))


def _below(options: RuntimeOptions | None, request: BuildRequest, course: Course) -> RuntimeOptions | None:
    """The directories of files have one in them for each profile."""
    if options is None or len(course.requests) == 1:
        return options
    inputs, outputs = (place and place / request.profile for place in (options.inputs, options.outputs))
    return replace(options, inputs=inputs, outputs=outputs)
