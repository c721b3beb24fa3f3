"""Photos to the files that a runtime reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from convertkit.api.commands.asking import choice, requests_of
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.places import Place, local_of
from convertkit.conversion.events import Note, Report, said, silent
from convertkit.errors import ConvertkitError
from convertkit.storage.files import megabytes
from convertkit.storage.progress import Bar, no_bar

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.offline.interface import TensorInfo
    from convertkit.offline.job import Job
    from convertkit.offline.prepare import Outcome

FORMATS = ("bin", "npy")
PLACEMENTS = ("corner", "center")
ROUNDINGS = ("nearest", "floor")


class Preprocessed(Shown, Struct, frozen=True, dict=True):
    """``made``: photos that were not there already; ``extra``: files of another run."""

    directory: str
    photos: int
    made: int
    inputs: list[str]
    extra: list[str]

    @classmethod
    def of(cls, outcome: Outcome, place: Path) -> Preprocessed:
        record = outcome.record
        inputs, extra = record.directories(place).values(), outcome.extra
        found = cls(
            str(place), len(record.photos), outcome.made, list(map(str, inputs)), list(map(str, extra))
        )
        found.__dict__["bytes"] = sum(tensor.bytes for tensor in record.inputs)
        return found

    def page(self) -> Iterator[Block]:
        each = megabytes(self.__dict__["bytes"])
        yield f"{self.photos} photos in {self.directory} ({self.made} made now, {each} each)"
        if len(self.inputs) > 1:
            yield f"inputs, in the order of the graph: {','.join(self.inputs)}"


class PreprocessedProfiles(Shown, Struct, frozen=True):
    """The same for each profile."""

    directory: str
    profiles: list[Preprocessed]

    def page(self) -> Iterator[Block]:
        for each in self.profiles:
            yield from each.page()


def preprocess(
    model: Place,
    output: Path,
    *,
    artifact: Path | None = None,
    annotations: Place | None = None,
    images: Place | None = None,
    limit: int | None = None,
    skip_bad_photos: bool = False,
    suffix: str = "bin",
    placement: str | None = None,
    rounding: str | None = None,
    jobs: int | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
    **words: Any,
) -> Preprocessed | PreprocessedProfiles:
    """Writes every photo as the network input, one file each; those of a variant's profiles in a directory each.

    Args:
        output: the directory to fill.
        words: as :func:`~convertkit.api.commands.asking.requests_of` takes them. The others are the options of
            ``convertkit preprocess``.
    """
    from convertkit.offline.prepare import prepare

    annotations, images = local_of(annotations, "preprocess"), local_of(images, "preprocess")
    choice(suffix, "--format", FORMATS)
    requests = requests_of(model, plugin, report=report, **words)
    several = len(requests) > 1
    places = [artifact / one.profile if artifact and several else artifact for one in requests]
    taken = [_inputs(one, place, report) for one, place in zip(requests, places, strict=True)]
    job = _job(requests[0], taken[0], annotations, images, limit, skip_bad=skip_bad_photos, report=report)
    job = _with(job, suffix, placement, rounding)
    outcomes = {}
    for place, part in (_by_profile(job, requests, taken, output) if several else {output: job}).items():
        title = f"preprocess {place.name}" if several else "preprocess"
        with bar(title, len(part.photos)) as advance:
            outcomes[place] = prepare(part, place, jobs=jobs, on_progress=advance)
    _tell_extra(outcomes, report)
    made = [Preprocessed.of(outcome, place) for place, outcome in outcomes.items()]
    return made[0] if output in outcomes else PreprocessedProfiles(str(output), made)


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


def _inputs(request: BuildRequest, artifact: Path | None, report: Report) -> tuple[TensorInfo, ...]:
    """Of one picture: those of the artifact's graph, or those of the stock graph, as ``model.yaml`` has them."""
    from convertkit.offline.interface import read_interface, stock_inputs

    path = (artifact or request.directory) / "model.onnx"
    if artifact is not None or path.is_file():
        note_other_artifact(request, path.parent, report)
        return read_interface(path).of_one(request.variant.spec.batch).inputs
    package, size = request.package, request.variant.spec.size
    found = stock_inputs(package.spec, size)
    names = [tensor.name for tensor in found]
    report(Note(f"{path} is not there; the inputs are those of the stock graph: {', '.join(names)}"))
    settings, target = package.preprocess_spec(request.variant), request.target
    given, _ = package.model.preprocess(next(iter(package.sample_images())), size, settings)
    more = ", ".join(name for name in given if name not in names)
    if more and target.pipeline:
        report(
            Note(f"a pass of {target.name} may add {more}: build first, or preprocess again when it is built")
        )
    return found


def note_other_artifact(request: BuildRequest, artifact: Path, report: Report) -> None:
    """Where shapes are equal, only its manifest tells what an artifact was built from."""
    from convertkit.conversion.manifest import NAME, read_manifest

    try:
        manifest = read_manifest(artifact / NAME)
    except ConvertkitError:
        return  # none, or another tool's
    wanted = request.package.spec.name, request.variant.name
    if (manifest.model, manifest.variant) != wanted:
        report(Note(f"{artifact} is of {manifest.model} {manifest.variant}, not of {' '.join(wanted)}"))


def _job(
    request: BuildRequest,
    inputs: tuple[TensorInfo, ...],
    annotations: Path | None,
    images: Path | None,
    limit: int | None,
    *,
    skip_bad: bool,
    report: Report,
) -> Job:
    from convertkit.datasets.doubts import contradictions, doubts
    from convertkit.datasets.shapes import faulty_shapes
    from convertkit.offline.job import Job
    from convertkit.offline.photos import photos_of_dataset, photos_of_directory
    from convertkit.rungs.rung import tasks_of
    from convertkit.storage.urls import local
    from convertkit.verification.data import find_source

    package, variant = request.package, request.variant
    settings = package.preprocess_spec(variant)
    if annotations is None and images is not None:
        return Job(package, variant, settings, inputs, photos_of_directory(images, limit), images)
    source = find_source(package, variant, annotations=annotations, images=images, note=said(report))
    dataset = source.open(limit, skip_bad=skip_bad)
    if dataset.left_out.photos:
        report(Note(f"{dataset.left_out} ({dataset.left_out.first})"))
    found, ids = dataset.found, [image.id for image in dataset.images]
    tasks = [task for task in tasks_of(package) if not any(faulty_shapes(found, [task]))]
    for line in (*contradictions(found, tasks), *doubts(found, tasks, ids)):
        report(Note(line))  # of what the figures will be, not of these files
    files = local(source.images, "preprocess"), local(source.annotations, "preprocess")
    photos = photos_of_dataset(dataset, files[0])
    own = source.own and limit is None and not dataset.left_out.photos
    return Job(package, variant, settings, inputs, photos, *files, own)


def _with(job: Job, suffix: str, placement: str | None, rounding: str | None) -> Job:
    from dataclasses import replace

    import msgspec

    changes: dict[str, Any] = {}
    if placement is not None:
        changes["placement"] = choice(placement, "--placement", PLACEMENTS)
    if rounding is not None:
        changes["rounding"] = choice(rounding, "--rounding", ROUNDINGS)
    kind: Any = suffix
    return replace(job, suffix=kind, preprocess=msgspec.structs.replace(job.preprocess, **changes))


def _tell_extra(outcomes: Mapping[Path, Outcome], report: Report) -> None:
    extra = [path for outcome in outcomes.values() for path in outcome.extra]
    if extra:
        counts = Counter(str(path.parent) for path in extra)
        where = " and ".join(f"{count} in {place}" for place, count in counts.items())
        like = "a tool that takes the whole directory would take them"
        report(Note(f"files that are not of this run: {where}, like {extra[0]}; {like}"))
