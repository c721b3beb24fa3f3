"""A rung is measured: what its name means is opened, once for each profile, and the photos go through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from convertkit.conversion.engine import BuildResult, graph_after
from convertkit.conversion.events import Report, fresh_only
from convertkit.conversion.request import BuildRequest
from convertkit.graph.domains import lowered
from convertkit.graph.session import Session, open_session
from convertkit.targets.capabilities import Runtime, emulate, open_runtime
from convertkit.targets.context import RuntimeOptions
from convertkit.verification.framework import measure_framework
from convertkit.verification.rung_names import RungName
from convertkit.verification.rungs import Course, Rung, measure_graph


def measure(
    rung: RungName,
    course: Course,
    built: Sequence[BuildResult] | None,
    options: RuntimeOptions | None,
    advance: Callable[[int], None],
    report: Report,
) -> Rung:
    """Measures a rung; ``built`` are the artifacts of the course's requests, for a target rung."""
    if rung.source == "framework":
        return measure_framework(course, advance, report)
    runtimes = [
        runtime_of(
            rung, request, result.directory if result else None, _below(options, request, course), report
        )
        for request, result in zip_longest(course.requests, built or ())
    ]
    return measure_graph(rung.text, runtimes, course, advance, pixels=takes_pixels(rung, course.request))


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
        return open_runtime(request.target, directory, rung.runtime, options or RuntimeOptions())
    graph = graph_after(request, rung.passes, report=fresh_only(report))
    if rung.emulation:
        return emulate(request.target, graph, rung.emulation, rung.variation, request.context)
    return open_session(lowered(graph))
