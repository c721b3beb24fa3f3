"""``convertkit preprocess``: photos to the files that a runtime reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convertkit.cli import options as shared
from convertkit.cli.requests import request_of
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

    Finished photos are not made again; preprocess.json beside the files holds the way back for postprocess.
    """
    from convertkit.offline.prepare import prepare

    shared.choice(suffix, "--format", FORMATS)
    request = request_of(model, plugin, variant=variant, target=target, batch=batch, profile=profile)
    taken = _inputs(request, artifact)
    job = _job(request, taken, annotations, images, limit, skip_bad=skip_bad_photos)
    job = _with(job, suffix, placement, rounding)
    with progress_bar("preprocess", len(job.photos)) as advance:
        outcome = prepare(job, output, jobs=jobs, on_progress=advance)
    _report(outcome, output, as_json=as_json)


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


def _report(outcome: Outcome, output: Path, *, as_json: bool) -> None:
    record = outcome.record
    directories = [str(place) for place in record.directories(output).values()]
    if outcome.extra:
        counts = Counter(str(path.parent) for path in outcome.extra)
        where = " and ".join(f"{count} in {place}" for place, count in counts.items())
        note(
            f"note: files that are not of this run: {where}, like {outcome.extra[0]}; "
            "a tool that takes the whole directory would take them"
        )
    if as_json:
        data = {
            "directory": str(output),
            "photos": len(record.photos),
            "made": outcome.made,
            "inputs": directories,
        }
        print_json({**data, "extra": outcome.extra})
        return
    each = sum(tensor.bytes for tensor in record.inputs)
    count = len(record.photos)
    print(f"{count} photos in {output} ({outcome.made} made now, {megabytes(each)} each)")
    if len(directories) > 1:
        print(f"inputs, in the order of the graph: {','.join(directories)}")
