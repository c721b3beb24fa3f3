"""The rungs of the ladder: the same photos and metrics, whatever runs them."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from convertkit.conversion.events import Report, silent
from convertkit.conversion.framework import run_job
from convertkit.conversion.request import BuildRequest
from convertkit.datasets.classes import ClassMap
from convertkit.datasets.coco import CocoDataset, CocoImage
from convertkit.datasets.doubts import doubts
from convertkit.detection.types import Detections, Image
from convertkit.errors import SpecError, UsageError
from convertkit.graph.session import Session
from convertkit.models.package import ModelPackage
from convertkit.targets.capabilities import Runtime, answers
from convertkit.verification.intervals import Estimate
from convertkit.verification.matches import Matches
from convertkit.verification.metrics import TASKS, check_tasks, evaluate
from convertkit.verification.results import ResultsWriter
from convertkit.verification.stream import I, Timing, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rung(Struct, frozen=True):
    """The accuracy of one rung.

    Attributes:
        name: as in :mod:`convertkit.verification.rung_names`.
        scores: task (``bbox``, ``segm``) -> metric -> value in 0..1.
        images: how many photos it was measured on.
        images_per_second: end to end, reading and postprocessing included; None where it was not run.
        origin: ``measured`` now, or where a recorded figure comes from.
        stages: seconds busy per stage, summed over threads.
        per_class: task -> category -> AP in 0..1, or -1 where there is nothing to find.
        note: what makes the figures doubtful; empty where nothing does.
        failure: what went wrong where it could not be measured; it has no figures then.
        intervals: task -> AP metric, or ``AP CATEGORY`` -> the figure with its 95 % interval.
    """

    name: str
    scores: dict[str, dict[str, float]]
    images: int
    images_per_second: float | None = None
    origin: str = "measured"
    stages: dict[str, float] = {}
    per_class: dict[str, dict[str, float]] = {}
    note: str = ""
    intervals: dict[str, dict[str, Estimate]] = {}
    failure: str = ""


@dataclass(frozen=True)
class Course:
    """What every rung of one ladder has in common: the request, the photos, where results go, what is scored.

    ``done`` is how many of the photos were measured in an earlier look: their detections are in the results already.
    ``matches`` takes those of every rung, by task.
    """

    request: BuildRequest
    dataset: CocoDataset
    results: Path
    tasks: tuple[str, ...]
    done: int = 0
    matches: dict[str, dict[str, Matches]] = field(default_factory=dict)

    @property
    def images(self) -> tuple[CocoImage, ...]:
        """The photos that are still to be measured."""
        return self.dataset.images[self.done :]

    @cached_property
    def classes(self) -> ClassMap:
        """The dataset's category of each class of the model."""
        return self.dataset.class_map(self.request.package.spec.classes)

    @property
    def category_ids(self) -> tuple[int | None, ...]:
        """Of each class of the model; None for one that the dataset has not."""
        return self.classes.category_ids

    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures has to know of the annotations, and of the names on either side."""
        found, ids = self.dataset.found, [image.id for image in self.dataset.images]
        return (*doubts(found, self.tasks, ids), *self.classes.notes(found.counts(ids)))

    def path(self, rung: str) -> Path:
        """The file of a rung's detections (COCO results, one JSON object a line)."""
        return self.results / f"{rung}.jsonl"

    @contextlib.contextmanager
    def writer(self, rung: str) -> Iterator[ResultsWriter]:
        """Takes the detections of :attr:`images`; those of an earlier look stay in front of them."""
        path = self.path(rung)
        part = path if not self.done else path.with_suffix(".part.jsonl")
        with ResultsWriter(part, self.category_ids) as writer:
            yield writer
        if part != path:
            with path.open("ab") as whole:
                whole.write(part.read_bytes())
            part.unlink()


def tasks_of(package: ModelPackage, chosen: Sequence[str] = ()) -> tuple[str, ...]:
    """``bbox``, and ``segm`` where the model has masks; of these the chosen ones.

    Raises:
        UnknownNameError: no such task. UsageError: the model has no masks.
    """
    roles = {tensor.role for tensor in package.spec.outputs.values()}
    known = TASKS if "masks" in roles else TASKS[:1]
    check_tasks(chosen)
    for task in chosen:
        if task not in known:
            raise UsageError(f"task {task}: model {package.spec.name} has no masks", hint="use bbox")
    return tuple(task for task in known if task in (chosen or known))


def measure_graph(
    name: str,
    runtime: Runtime | Session,
    course: Course,
    on_progress: Callable[[int], None],
    *,
    pixels: bool = False,
) -> Rung:
    """Streams the photos through preprocessing, a runtime and postprocessing, and scores what comes out.

    Args:
        pixels: the runtime takes the bytes of an image and normalises them itself.
    """
    with course.writer(name) as writer:
        timing = detections_of(
            course.images,
            runtime,
            course.request,
            read=course.dataset.read,
            sink=lambda image, found: writer.write(image.id, found),
            on_progress=on_progress,
            pixels=pixels,
        )
    scored = score(course, name, timing.images_per_second)
    return msgspec.structs.replace(scored, stages={**timing.busy})


def detections_of(
    images: Iterable[I],
    runtime: Runtime | Session,
    request: BuildRequest,
    *,
    read: Callable[[I], Image],
    sink: Callable[[I, Detections], object],
    on_progress: Callable[[int], object] | None = None,
    pixels: bool = False,
) -> Timing:
    """Streams photos through preprocessing, a runtime and postprocessing; arguments and errors as :func:`stream`."""
    package, variant = request.package, request.variant
    preprocess = package.preprocess_spec(variant)
    preprocess = preprocess if pixels else preprocess.on_host()
    size = variant.spec.size
    return stream(
        images,
        read=read,
        preprocess=lambda image: package.model.preprocess(image, size, preprocess),
        run=functools.partial(answers, runtime),
        postprocess=package.detections,
        sink=sink,
        on_progress=on_progress,
        batch=variant.spec.batch,
    )


def measure_framework(course: Course, on_progress: Callable[[int], None], report: Report = silent) -> Rung:
    """mmdet's (or another framework's) own pipeline, forward and postprocessing, in the export environment."""
    start = time.perf_counter()
    paths = {image.id: image.path for image in course.images}
    with course.writer("framework") as writer:
        framework_detections(course.request, paths, writer.write, on_progress, report)
    return score(course, "framework", len(paths) / (time.perf_counter() - start))


def framework_detections(
    request: BuildRequest,
    photos: Mapping[int, Path],
    sink: Callable[[int, Detections], object],
    on_progress: Callable[[int], object],
    report: Report = silent,
) -> None:
    """Lets the export environment predict photos, by their ids.

    Raises:
        SpecError: the package's worker did not answer for all.
    """
    job = {
        "task": "predict",
        "pipeline": msgspec.structs.asdict(request.package.preprocess_spec(request.variant)),
        "images": [{"id": number, "path": str(path.resolve())} for number, path in photos.items()],
    }
    done = 0

    def take(result: dict[str, Any]) -> None:
        nonlocal done
        sink(result["image_id"], _detections(result))
        done += 1
        on_progress(done)

    run_job(request, job, report, on_result=take)
    if done != len(photos):
        raise SpecError(f"the framework worker answered for {done} of {len(photos)} images")


def recorded_framework(request: BuildRequest) -> Rung | None:
    """The framework's figures as ``model.yaml`` has them, or None."""
    spec = request.variant.spec.accuracy
    if not spec.framework:
        return None
    return Rung("framework", spec.framework, spec.images or 0, origin=f"recorded: {spec.source}")


def score(course: Course, name: str, rate: float) -> Rung:
    """COCO's twelve numbers per task, from a rung's file of detections; the matches stay with the course."""
    ids = [image.id for image in course.dataset.images]
    found = evaluate(course.dataset.found, course.path(name), course.tasks, image_ids=ids, matched=True)
    course.matches[name] = {task: metrics.matches for task, metrics in found.items() if metrics.matches}
    return Rung(
        name,
        {task: metrics.as_dict() for task, metrics in found.items()},
        len(ids),
        rate,
        per_class={task: dict(metrics.per_class) for task, metrics in found.items()},
        note=next((metrics.doubt for metrics in found.values() if metrics.doubt), ""),
    )


def _detections(result: Mapping[str, Any]) -> Detections:
    boxes: NDArray[np.float32] = np.asarray(result["boxes"], np.float32).reshape(-1, 4)
    return Detections(
        boxes,
        np.asarray(result["scores"], np.float32),
        np.asarray(result["labels"], np.int64),
        tuple(result["masks"]) if result.get("masks") is not None else None,
    )
