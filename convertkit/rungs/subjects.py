"""What runs on a rung: its digest, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from convertkit.conversion.compiled import state_of
from convertkit.conversion.engine import BuildResult, graph_after
from convertkit.conversion.events import Note, Report, fresh_only
from convertkit.conversion.precision_plan import doubts
from convertkit.conversion.request import BuildRequest
from convertkit.conversion.standalone import digest_of_files
from convertkit.graph.domains import lowered
from convertkit.graph.light import LightModel
from convertkit.graph.session import Session, open_session
from convertkit.rungs.names import RungName
from convertkit.storage.files import canonical_json, sha256_bytes, sha256_file
from convertkit.targets.capabilities import Runtime, emulate, open_runtime, product_of
from convertkit.targets.context import RuntimeOptions


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
            return cls(_digest(request, built), opening)
        graph = graph_after(request, rung.passes, report=fresh_only(report))
        for line in doubts(request.plan, graph.digest()) if rung.emulation else ():
            report(Note(line))
        return cls(graph.digest(), partial(_open_graph, rung, request, graph))


def _digest(request: BuildRequest, built: BuildResult) -> str:
    """Of an artifact's files, and of the compiler's where that was put there by hand and no manifest knows it."""
    known = digest_of_files(built.manifest.files)
    if state_of(request.target, built.directory) != "by hand":
        return known
    by_hand = sha256_file(built.directory / product_of(request.target))
    return sha256_bytes(canonical_json([known, by_hand]))


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
