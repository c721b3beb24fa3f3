"""A rung is measured: what its name means is opened, once for each profile, and the photos go through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path

from convertkit.conversion.engine import BuildResult, graph_after
from convertkit.conversion.events import Report, fresh_only
from convertkit.conversion.request import BuildRequest
from convertkit.graph.domains import lowered
from convertkit.graph.light import LightModel
from convertkit.graph.session import Session, open_session
from convertkit.targets.capabilities import Runtime, emulate, open_runtime
from convertkit.targets.context import RuntimeOptions
from convertkit.verification.framework import in_framework
from convertkit.verification.keys import artifact_digest, framework_digest, rung_key
from convertkit.verification.rung_names import RungName
from convertkit.verification.rungs import Course, Ran, in_process, run_by


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
    subjects = [
        Subject.of(rung, request, result, _below(options, request, course), report)
        for request, result in zip_longest(requests, built or ())
    ]
    # Result files of another machine are read, not run: there is nothing to lose.
    lasting = options is None or options.outputs is None
    key = rung_key(rung, requests, [subject.digest for subject in subjects]) if lasting else ""
    runtimes = [subject.open() for subject in subjects]
    engine = in_process(runtimes, requests, pixels=takes_pixels(rung, course.request))
    return run_by(engine, rung.text, course, advance, key=key)


@dataclass(frozen=True)
class Subject:
    """What a rung runs for one profile: its digest, and how it is opened."""

    digest: str
    open: Callable[[], Runtime | Session]

    @classmethod
    def of(
        cls,
        rung: RungName,
        request: BuildRequest,
        built: BuildResult | None,
        options: RuntimeOptions | None,
        report: Report,
    ) -> Subject:
        """A rung other than the framework's; ``built`` is the artifact, for ``target``."""
        if rung.source == "target":
            assert built is not None
            opening = partial(open_target, rung, request, built.directory, options)
            return cls(artifact_digest(built.manifest), opening)
        graph = graph_after(request, rung.passes, report=fresh_only(report))
        return cls(graph.digest(), partial(_open_graph, rung, request, graph))


def _below(options: RuntimeOptions | None, request: BuildRequest, course: Course) -> RuntimeOptions | None:
    """The directories of files have one in them for each profile."""
    if options is None or len(course.requests) == 1:
        return options
    inputs, outputs = (place and place / request.profile for place in (options.inputs, options.outputs))
    return replace(options, inputs=inputs, outputs=outputs)


def takes_pixels(rung: RungName, request: BuildRequest) -> bool:
    """Whether the target, or what stands for it, normalises; stock graphs and those after a pass are fed normalised."""
    return request.context.pixels is not None and (rung.source == "target" or bool(rung.emulation))


def runtime_of(
    rung: RungName,
    request: BuildRequest,
    directory: Path | None,
    options: RuntimeOptions | None,
    report: Report,
) -> Runtime | Session:
    """What runs a rung other than the framework's; ``directory`` is the artifact's, for ``target``."""
    if rung.source == "target":
        assert directory is not None
        return open_target(rung, request, directory, options)
    return _open_graph(rung, request, graph_after(request, rung.passes, report=fresh_only(report)))


def open_target(
    rung: RungName, request: BuildRequest, directory: Path, options: RuntimeOptions | None
) -> Runtime:
    """A runtime of the artifact in ``directory``."""
    return open_runtime(request.target, directory, rung.runtime, options or RuntimeOptions())


def _open_graph(rung: RungName, request: BuildRequest, graph: LightModel) -> Runtime | Session:
    if rung.emulation:
        return emulate(request.target, graph, rung.emulation, rung.variation, request.context)
    return open_session(lowered(graph))
