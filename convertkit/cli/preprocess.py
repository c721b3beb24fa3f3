"""``convertkit preprocess``: photos to the files that a runtime reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli import options as shared
from convertkit.cli.requests import requests_of
from convertkit.cli.ui import note, print_json, progress_bar
from convertkit.errors import ConvertkitError
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.offline.interface import TensorInfo
    from convertkit.offline.job import Job
    from convertkit.offline.prepare import Outcome

FORMATS = ("bin", "npy")
PLACEMENTS = ("corner", "center")
ROUNDINGS = ("nearest", "floor")

ArtifactOption = Annotated[
    Path | None,
    typer.Option(
        "--artifact", help="Artifact directory, for what its graph takes and gives; default: build/..."
    ),
]


def preprocess(
    model: shared.ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory to fill; must be empty or ours.")],
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    artifact: ArtifactOption = None,
    annotations: Annotated[
        Path | None,
        typer.Option("--annotations", help="COCO instances file that names the photos; needs --images."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Directory of photos; default: the variant's dataset.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Only the first so many photos.")
    ] = None,
    skip_bad_photos: shared.SkipOption = False,
    suffix: Annotated[
        str, typer.Option("--format", help="bin (raw little-endian values, no header) or npy.")
    ] = "bin",
    placement: Annotated[
        str | None, typer.Option("--placement", help="corner or center, instead of the variant's own.")
    ] = None,
    rounding: Annotated[
        str | None, typer.Option("--rounding", help="nearest or floor, instead of the variant's own.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Threads; default: one per processor.")
    ] = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Write every photo as the network input, one file each, also for a model that takes several in one run.

    Finished photos are not made again; preprocess.json beside the files holds the way back for postprocess. A variant's
    profiles have a directory each, with the photos that suit it.
    """
    from convertkit.offline.prepare import prepare

    shared.choice(suffix, "--format", FORMATS)
    requests = requests_of(model, plugin, variant=variant, target=target, batch=batch, profile=profile)
    several = len(requests) > 1
    taken = [_inputs(one, artifact / one.profile if artifact and several else artifact) for one in requests]
    job = _job(requests[0], taken[0], annotations, images, limit, skip_bad=skip_bad_photos)
    job = _with(job, suffix, placement, rounding)
    outcomes = {}
    for place, part in (_by_profile(job, requests, taken, output) if several else {output: job}).items():
        title = f"preprocess {place.name}" if several else "preprocess"
        with progress_bar(title, len(part.photos)) as advance:
            outcomes[place] = prepare(part, place, jobs=jobs, on_progress=advance)
    _report(outcomes, output, as_json=as_json)


def _by_profile(
    job: Job, requests: Sequence[BuildRequest], taken: Sequence[tuple[TensorInfo, ...]], output: Path
) -> dict[Path, Job]:
    """An ordinary job for each profile that has photos, by its directory; which photo goes where is written down."""
    from dataclasses import replace

    from convertkit.offline.profiles import Split

    split = Split.of(job.photos, [request.variant.spec.size for request in requests], own=job.own)
    split.begin(output)
    return {
        output / name: replace(
            job,
            variant=request.variant,
            inputs=inputs,
            photos=tuple(photo for photo in job.photos if split.photos[photo.stem] == name),
            own=False,
        )
        for request, inputs in zip(requests, taken, strict=True)
        if (name := request.profile) in split.photos.values()
    }


def _inputs(request: BuildRequest, artifact: Path | None) -> tuple[TensorInfo, ...]:
    """Of one picture: those of the artifact's graph, or those of the stock graph, as ``model.yaml`` has them."""
    from convertkit.offline.interface import read_interface, stock_inputs

    path = (artifact or request.directory) / "model.onnx"
    if artifact is not None or path.is_file():
        note_other_artifact(request, path.parent)
        return read_interface(path).of_one(request.variant.spec.batch).inputs
    package, size = request.package, request.variant.spec.size
    found = stock_inputs(package.spec, size)
    names = [tensor.name for tensor in found]
    note(f"note: {path} is not there; the inputs are those of the stock graph: {', '.join(names)}")
    settings, target = package.preprocess_spec(request.variant), request.target
    given, _ = package.model.preprocess(next(iter(package.sample_images())), size, settings)
    more = ", ".join(name for name in given if name not in names)
    if more and target.pipeline:
        note(
            f"note: a pass of {target.name} may add {more}: build first, or preprocess again when it is built"
        )
    return found


def note_other_artifact(request: BuildRequest, artifact: Path) -> None:
    """Where shapes are equal, only its manifest tells what an artifact was built from."""
    from convertkit.conversion.manifest import NAME, read_manifest

    try:
        manifest = read_manifest(artifact / NAME)
    except ConvertkitError:
        return  # none, or another tool's
    wanted = request.package.spec.name, request.variant.name
    if (manifest.model, manifest.variant) != wanted:
        note(f"note: {artifact} is of {manifest.model} {manifest.variant}, not of {' '.join(wanted)}")


def _job(
    request: BuildRequest,
    inputs: tuple[TensorInfo, ...],
    annotations: Path | None,
    images: Path | None,
    limit: int | None,
    *,
    skip_bad: bool,
) -> Job:
    from convertkit.datasets.doubts import contradictions, doubts
    from convertkit.datasets.shapes import faulty_shapes
    from convertkit.offline.job import Job
    from convertkit.offline.photos import photos_of_dataset, photos_of_directory
    from convertkit.verification.data import find_source
    from convertkit.verification.rungs import tasks_of

    package, variant = request.package, request.variant
    settings = package.preprocess_spec(variant)
    if annotations is None and images is not None:
        return Job(package, variant, settings, inputs, photos_of_directory(images, limit), images)
    source = find_source(package, variant, annotations=annotations, images=images, note=note)
    dataset = source.open(limit, skip_bad=skip_bad)
    if dataset.left_out.photos:
        note(f"note: {dataset.left_out} ({dataset.left_out.first})")
    found, ids = dataset.found, [image.id for image in dataset.images]
    tasks = [task for task in tasks_of(package) if not any(faulty_shapes(found, [task]))]
    for line in (*contradictions(found, tasks), *doubts(found, tasks, ids)):
        note(f"note: {line}")  # of what the figures will be, not of these files
    photos = photos_of_dataset(dataset, source.images)
    own = source.own and limit is None and not dataset.left_out.photos
    return Job(package, variant, settings, inputs, photos, source.images, source.annotations, own)


def _with(job: Job, suffix: str, placement: str | None, rounding: str | None) -> Job:
    from dataclasses import replace

    import msgspec

    changes: dict[str, Any] = {}
    if placement is not None:
        changes["placement"] = shared.choice(placement, "--placement", PLACEMENTS)
    if rounding is not None:
        changes["rounding"] = shared.choice(rounding, "--rounding", ROUNDINGS)
    kind: Any = suffix
    return replace(job, suffix=kind, preprocess=msgspec.structs.replace(job.preprocess, **changes))


def _report(outcomes: Mapping[Path, Outcome], output: Path, *, as_json: bool) -> None:
    extra = [path for outcome in outcomes.values() for path in outcome.extra]
    if extra:
        counts = Counter(str(path.parent) for path in extra)
        where = " and ".join(f"{count} in {place}" for place, count in counts.items())
        note(
            f"note: files that are not of this run: {where}, like {extra[0]}; "
            "a tool that takes the whole directory would take them"
        )
    if as_json:
        found = [_data(outcome, place) for place, outcome in outcomes.items()]
        print_json(found[0] if output in outcomes else {"directory": str(output), "profiles": found})
        return
    for place, outcome in outcomes.items():
        record, directories = outcome.record, _directories(outcome, place)
        each = sum(tensor.bytes for tensor in record.inputs)
        print(f"{len(record.photos)} photos in {place} ({outcome.made} made now, {megabytes(each)} each)")
        if len(directories) > 1:
            print(f"inputs, in the order of the graph: {','.join(directories)}")


def _directories(outcome: Outcome, place: Path) -> list[str]:
    return [str(directory) for directory in outcome.record.directories(place).values()]


def _data(outcome: Outcome, place: Path) -> dict[str, Any]:
    return {
        "directory": str(place),
        "photos": len(outcome.record.photos),
        "made": outcome.made,
        "inputs": _directories(outcome, place),
        "extra": outcome.extra,
    }
