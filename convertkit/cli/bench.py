"""``convertkit bench``: how fast a built model is, with and without what is around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli import options as shared
from convertkit.cli.requests import requests_of
from convertkit.cli.tables import print_figures
from convertkit.cli.ui import BuildView, print_json, progress_bar
from convertkit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.models.spec import PerformanceSpec
    from convertkit.speed.measure import EndToEnd, Repeated
    from convertkit.targets.context import RuntimeOptions

COLUMNS = ("mean", "median", "p90", "p99", "min", "max")

LOOPS, WARMUP, PHOTOS = 20, 3, 20


def bench(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    output: shared.OutputOption = None,
    pipeline: shared.PipelineOption = None,
    input_shape: shared.InputShapeOption = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime", "-r", help="A runtime or an emulation of the target; default: the target itself."
        ),
    ] = None,
    device: shared.DeviceOption = 0,
    batch: Annotated[
        str | None,
        typer.Option("--batch", "-b", help="Pictures in one run, or several such numbers: 1,4,8."),
    ] = None,
    profile: shared.ProfileOption = None,
    loops: Annotated[int, typer.Option("--loops", "-l", min=1, help="Runs that are counted.")] = LOOPS,
    warmup: Annotated[int, typer.Option("--warmup", min=0, help="Runs before them that are not.")] = WARMUP,
    photos: Annotated[
        int, typer.Option("--photos", min=0, help="Photos of the end-to-end measurement; 0 leaves it out.")
    ] = PHOTOS,
    images: Annotated[
        Path | None, typer.Option("--images", help="Directory of photos; default: the package's samples.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="Only read the speed that a runtime noted beside its results."),
    ] = None,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Measure how fast a built model is.

    Throughput is 1000 x batch / mean compute time in ms: copies, pre- and postprocessing are left out. Beside it
    stands what photos to detections takes, everything included. Several batches, and a variant's profiles, are a table,
    with the roofline beside what was measured, or alone where there is no chip.
    """
    from convertkit.targets.context import RuntimeOptions

    requests = [
        request
        for size in _sizes(batch)
        for request in requests_of(
            model, plugin, variant=variant, target=target, weights=weights, origin=origin, python=python, env=env,
            option=option, batch=size, profile=profile, pipeline=pipeline, input_shape=input_shape,
        )
    ]  # fmt: skip
    how = _How(runtime, RuntimeOptions(device=device), loops, warmup, photos, images, output)
    if len(requests) > 1:
        _compare(requests, how, results, as_json=as_json)
        return
    if results is not None:
        read = _recorded(requests[0], how, results)
        _report(requests[0], f"recorded beside {results}", read, None, as_json=as_json)
        return
    _report(requests[0], runtime or "target", *_measure(requests[0], how), as_json=as_json)


@dataclass(frozen=True)
class _How:
    """What is asked of a measurement; ``name``: of a runtime or an emulation."""

    name: str | None
    options: RuntimeOptions
    loops: int
    warmup: int
    photos: int
    images: Path | None
    output: Path | None

    def counts(self) -> dict[str, object]:
        """Those that the user has set, by their options."""
        asked = {
            "--loops": (self.loops, LOOPS),
            "--warmup": (self.warmup, WARMUP),
            "--photos": (self.photos, PHOTOS),
        }
        return {name: None if value == default else value for name, (value, default) in asked.items()}


def _compare(requests: list[BuildRequest], how: _How, results: Path | None, *, as_json: bool) -> None:
    from convertkit.cli.batches import compare

    given = {"--results": results, "--output": how.output, "--photos": how.counts()["--photos"]}
    shared.refuse_meaningless("several batches or profiles", given)
    alone = replace(how, photos=0)
    compare(requests, how.name or "target", lambda request: _measure(request, alone), as_json=as_json)


def _recorded(request: BuildRequest, how: _How, results: Path) -> Repeated:
    """What a runtime has noted beside its results."""
    from convertkit.speed.measure import summed_up
    from convertkit.targets.capabilities import timings_of

    given = {"--runtime": how.name, "--output": how.output, "--device": how.options.device or None}
    shared.refuse_meaningless("--results, which only reads", given | how.counts() | {"--images": how.images})
    return summed_up(timings_of(request.target, results), request.variant.spec.batch)


def _sizes(batch: str | None) -> list[int | None]:
    """The numbers of ``--batch``; the variant's own without it."""
    if batch is None:
        return [None]
    parts = [part.strip() for part in batch.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"--batch {batch!r} is no number of pictures", hint="like 4, or 1,4,8 to compare")
    return list(dict.fromkeys(map(int, parts)))


def _measure(request: BuildRequest, how: _How) -> tuple[Repeated, EndToEnd | None]:
    from convertkit.conversion.engine import build
    from convertkit.datasets.coco import decode
    from convertkit.detection.batch import stacked
    from convertkit.speed.measure import end_to_end, repeat
    from convertkit.targets.capabilities import naming

    photos = _photos(request, how.images)
    built = build(request, how.output or request.directory, report=BuildView())
    runtime = _open(request, built.directory, how.name, how.options)
    _refuse_device(request, runtime, how.name, how.options)
    package, variant = request.package, request.variant
    settings = package.preprocess_spec(variant)
    inputs, _ = package.model.preprocess(decode("photo 0", photos[0]), variant.spec.size, settings)
    batch = variant.spec.batch
    with progress_bar("bench", how.loops, unit="runs") as advance, naming(request.target, "run"):
        repeated = repeat(
            runtime,
            stacked([inputs], batch),
            warmup=how.warmup,
            loops=how.loops,
            batch=batch,
            on_progress=advance,
        )
    if how.photos == 0:
        return repeated, None
    with progress_bar("end to end", how.photos) as advance:
        return repeated, end_to_end(runtime, package, variant, photos, how.photos, on_progress=advance)


def _open(request: BuildRequest, directory: Path, name: str | None, options: RuntimeOptions) -> Any:
    from convertkit.graph.io import load
    from convertkit.targets.capabilities import emulate, emulations, open_runtime, runtime_names

    target = request.target
    emulation, _, variation = (name or "").partition(":")
    ways, names = emulations(target), runtime_names(target)
    if emulation in ways:
        return emulate(target, load(directory / "model.onnx"), emulation, variation, request.context)
    if name is not None and name not in names:
        raise UnknownNameError(f"runtime of {target.name}", name, (*names, *ways))
    return open_runtime(target, directory, name or "", options)


def _refuse_device(request: BuildRequest, runtime: Any, name: str | None, options: RuntimeOptions) -> None:
    """The host has no devices by number."""
    from convertkit.graph.session import Session
    from convertkit.targets.capabilities import emulations

    if not isinstance(runtime, Session) and (name or "").partition(":")[0] not in emulations(request.target):
        return
    where = f"{request.target.name} {name or 'target'}"
    if options.device:
        raise UsageError(f"--device {options.device}: {where} runs on the host", hint="leave it out")


def _photos(request: BuildRequest, images: Path | None) -> list[bytes]:
    from convertkit.datasets.coco import photo_bytes
    from convertkit.offline.photos import photos_of_directory
    from convertkit.speed.measure import sample_photos

    if images is None:
        return sample_photos(request.package)
    return [photo_bytes(photo.path) for photo in photos_of_directory(images, 100)]


def _report(
    request: BuildRequest, name: str, repeated: Repeated, whole: EndToEnd | None, *, as_json: bool
) -> None:
    from convertkit.targets.capabilities import emulations

    emulated = name.partition(":")[0] in emulations(request.target)  # says nothing of the target's own speed
    known = None if emulated else request.variant.spec.performance.get(request.target.name)
    if as_json:
        print_json({"runtime": name, "repeated": repeated, "end_to_end": whole, "spec": known})
        return
    print(f"{request.package.spec.name} {request.variant.name} on {request.target.name}, {name}")
    print()
    _table(repeated)
    print()
    runs = f"batch {repeated.batch}, {repeated.compute.count} runs"
    counts = f", {tool.counts}" if (tool := request.target.tool) and tool.counts else ""
    print(f"throughput  {repeated.throughput:8.2f} images/s ({runs}; computing only{counts})")
    if whole is not None:
        stages = ", ".join(f"{stage} {value:.1f}" for stage, value in whole.stages.items())
        print(
            f"end to end  {whole.images_per_second:8.2f} images/s ({whole.images} photos; ms per image: {stages})"
        )
    if known is not None:
        print(_beside(known, repeated))


def _beside(known: PerformanceSpec, repeated: Repeated) -> str:
    ratio = repeated.throughput / known.fps
    source = f" ({known.source})" if known.source else ""
    return f"the spec    {known.fps:8.2f} images/s{source}: {ratio:.2f} times that"


def _table(repeated: Repeated) -> None:
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
    print_figures(["ms", *COLUMNS], rows)
