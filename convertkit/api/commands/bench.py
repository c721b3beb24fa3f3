"""How fast a built model is, with and without what is around it; several numbers of pictures in a run side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from convertkit.api.commands.asking import refuse_meaningless, requests_of
from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, Said
from convertkit.errors import UnavailableError, UnknownNameError, UsageError
from convertkit.models.spec import PerformanceSpec
from convertkit.speed.measure import EndToEnd, Repeated
from convertkit.storage.progress import Bar

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest

COLUMNS = ("mean", "median", "p90", "p99", "min", "max")


class Benched(Shown, Struct, frozen=True, dict=True):
    """Milliseconds; ``spec``: the figures that the package knows."""

    runtime: str
    repeated: Repeated
    end_to_end: EndToEnd | None
    spec: PerformanceSpec | None

    @classmethod
    def of(cls, request: BuildRequest, name: str, once: Repeated, whole: EndToEnd | None = None) -> Benched:
        """``name``: of a runtime or an emulation, which says nothing of the target's own speed."""
        from convertkit.targets.capabilities import emulations

        emulated = name.partition(":")[0] in emulations(request.target)
        known = None if emulated else request.variant.spec.performance.get(request.target.name)
        found = cls(name, once, whole, known)
        found.__dict__["request"] = request
        return found

    def page(self) -> Iterator[Block]:
        repeated, tool = self.repeated, self.__dict__["request"].target.tool
        yield f"{_title(self.__dict__['request'])}, {self.runtime}"
        yield from ("", _table(repeated), "")
        runs = f"batch {repeated.batch}, {repeated.compute.count} runs"
        counts = f", {tool.counts}" if tool and tool.counts else ""
        yield f"throughput  {repeated.throughput:8.2f} images/s ({runs}; computing only{counts})"
        if (whole := self.end_to_end) is not None:
            stages = ", ".join(f"{stage} {value:.1f}" for stage, value in whole.stages.items())
            each = f"{whole.images} photos; ms per image: {stages}"
            yield f"end to end  {whole.images_per_second:8.2f} images/s ({each})"
        if self.spec is not None:
            yield _beside(self.spec, repeated)


class BatchRow(Struct, frozen=True):
    """``roofline``: seconds of a run at least; ``profile``: height and width, empty where a variant has one size."""

    profile: str
    batch: int
    repeated: Repeated | None
    roofline: float | None

    def line(self) -> list[str]:
        once, least = self.repeated, self.roofline
        measured = [f"{once.compute.mean:.2f}", f"{once.throughput:.2f}"] if once else ["-", "-"]
        bound = [f"{1000 * least:.2f}", f"{self.batch / least:.2f}"] if least else ["-", "-"]
        return [*([self.profile] if self.profile else []), str(self.batch), *measured, *bound]


class Batches(Shown, Struct, frozen=True, dict=True):
    """``bench --batch 1,4,8``."""

    runtime: str
    batches: list[BatchRow]

    def page(self) -> Iterator[Block]:
        first = self.__dict__["request"]
        yield f"{_title(first)}, {self.runtime}; computing only\n"
        heads = ["profile"] if first.profile else []
        columns = [*heads, "batch", "ms (mean)", "images/s", "roofline ms", "images/s at most"]
        right = range(len(heads), len(heads) + 5)
        yield Table(columns, [row.line() for row in self.batches], right=right)


@dataclass(frozen=True)
class How:
    """What is asked of a measurement.

    Attributes:
        name: of a runtime or an emulation.
        counts: numbers that the user has set, by their options; None for the others.
        bar, runs: progress over photos, and over runs.
    """

    name: str | None
    device: int
    loops: int
    warmup: int
    photos: int
    images: Path | None
    output: Path | None
    counts: Mapping[str, int | None]
    report: Report
    bar: Bar
    runs: Bar


def bench_requests(
    model: Place, plugin: Sequence[Place], batch: str | None, **words: Any
) -> list[BuildRequest]:
    """One for each number of pictures in a run, and profile."""
    return [request for size in _sizes(batch) for request in requests_of(model, plugin, batch=size, **words)]


def measured(requests: Sequence[BuildRequest], how: How, results: Path | None = None) -> Benched | Batches:
    """How fast it is, as ``convertkit bench`` says; with ``results`` as it was noted beside them."""
    if len(requests) > 1:
        given = {"--results": results, "--output": how.output, "--photos": how.counts["--photos"]}
        refuse_meaningless("several batches or profiles", given)
        found = Batches(how.name or "target", list(_rows(requests, replace(how, photos=0))))
        found.__dict__["request"] = requests[0]
        return found
    if results is not None:
        name = f"recorded beside {results}"
        return Benched.of(requests[0], name, _recorded(requests[0], how, results))
    return Benched.of(requests[0], how.name or "target", *_measure(requests[0], how))


def _rows(requests: Sequence[BuildRequest], how: How) -> Iterator[BatchRow]:
    """What was measured beside the roofline, where each can be had."""
    for request in requests:
        roofline, batch = _roofline(request, how.report), request.variant.spec.batch
        try:
            repeated: Repeated | None = _measure(request, how)[0]
        except UnavailableError as error:
            if roofline is None:
                raise
            at = f" at {request.profile}" if request.profile else ""
            how.report(Said(f"batch {batch}{at} is not measured: {error.message}"))
            repeated = None
        yield BatchRow(request.profile, batch, repeated, roofline)


def _roofline(request: BuildRequest, report: Report) -> float | None:
    """Seconds of a run, node by node, as ``convertkit estimate`` has them; None without figures of the machine."""
    from convertkit.conversion.engine import graph_after
    from convertkit.estimation.roofline import estimate

    if request.target.machine is None:
        return None
    graph = graph_after(request, len(request.pipeline.steps), report=report)
    return estimate(graph, request.target.machine, request.context.pixels).seconds


def _recorded(request: BuildRequest, how: How, results: Path) -> Repeated:
    """What a runtime has noted beside its results."""
    from convertkit.speed.measure import summed_up
    from convertkit.targets.capabilities import timings_of

    given = {"--runtime": how.name, "--output": how.output, "--device": how.device or None}
    refuse_meaningless("--results, which only reads", {**given, **how.counts, "--images": how.images})
    return summed_up(timings_of(request.target, results), request.variant.spec.batch)


def _sizes(batch: str | None) -> list[int | None]:
    """The numbers of ``--batch``; the variant's own without it."""
    if batch is None:
        return [None]
    parts = [part.strip() for part in batch.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"--batch {batch!r} is no number of pictures", hint="like 4, or 1,4,8 to compare")
    return list(dict.fromkeys(map(int, parts)))


def _measure(request: BuildRequest, how: How) -> tuple[Repeated, EndToEnd | None]:
    from convertkit.conversion.engine import build
    from convertkit.datasets.coco import decode
    from convertkit.detection.batch import stacked
    from convertkit.speed.measure import end_to_end, repeat
    from convertkit.targets.capabilities import naming

    photos = _photos(request, how.images)
    built = build(request, how.output or request.directory, report=how.report)
    runtime = _open(request, built.directory, how)
    _refuse_device(request, runtime, how)
    package, variant = request.package, request.variant
    settings = package.preprocess_spec(variant)
    inputs, _ = package.model.preprocess(decode("photo 0", photos[0]), variant.spec.size, settings)
    batch = variant.spec.batch
    with how.runs("bench", how.loops) as advance, naming(request.target, "run"):
        counts = {"warmup": how.warmup, "loops": how.loops, "batch": batch}
        repeated = repeat(runtime, stacked([inputs], batch), on_progress=advance, **counts)
    if how.photos == 0:
        return repeated, None
    with how.bar("end to end", how.photos) as advance:
        return repeated, end_to_end(runtime, package, variant, photos, how.photos, on_progress=advance)


def _open(request: BuildRequest, directory: Path, how: How) -> Any:
    from convertkit.graph.io import load
    from convertkit.targets.capabilities import emulate, emulations, open_runtime, runtime_names
    from convertkit.targets.context import RuntimeOptions

    target, name = request.target, how.name
    emulation, _, variation = (name or "").partition(":")
    ways, names = emulations(target), runtime_names(target)
    if emulation in ways:
        return emulate(target, load(directory / "model.onnx"), emulation, variation, request.context)
    if name is not None and name not in names:
        raise UnknownNameError(f"runtime of {target.name}", name, (*names, *ways))
    return open_runtime(target, directory, name or "", RuntimeOptions(device=how.device))


def _refuse_device(request: BuildRequest, runtime: Any, how: How) -> None:
    """The host has no devices by number."""
    from convertkit.graph.session import Session
    from convertkit.targets.capabilities import emulations

    emulated = (how.name or "").partition(":")[0] in emulations(request.target)
    if how.device and (emulated or isinstance(runtime, Session)):
        where = f"{request.target.name} {how.name or 'target'}"
        raise UsageError(f"--device {how.device}: {where} runs on the host", hint="leave it out")


def _photos(request: BuildRequest, images: Path | None) -> list[bytes]:
    from convertkit.datasets.coco import photo_bytes
    from convertkit.offline.photos import photos_of_directory
    from convertkit.speed.measure import sample_photos

    if images is None:
        return sample_photos(request.package)
    return [photo_bytes(photo.path) for photo in photos_of_directory(images, 100)]


def _title(request: BuildRequest) -> str:
    return f"{request.package.spec.name} {request.variant.name} on {request.target.name}"


def _beside(known: PerformanceSpec, repeated: Repeated) -> str:
    ratio = repeated.throughput / known.fps
    source = f" ({known.source})" if known.source else ""
    return f"the spec    {known.fps:8.2f} images/s{source}: {ratio:.2f} times that"


def _table(repeated: Repeated) -> Table:
    parts = {
        "host to device": repeated.to_device,
        "compute": repeated.compute,
        "device to host": repeated.from_device,
        "whole call": None if repeated.whole == repeated.compute else repeated.whole,
    }
    rows = [
        [name, *(f"{getattr(figures, column):.2f}" for column in COLUMNS)]
        for name, figures in parts.items()
        if figures is not None
    ]
    return Table(["ms", *COLUMNS], rows, whole=True)
