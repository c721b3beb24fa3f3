"""The rungs of the ladder: the same photos and metrics, whatever runs them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import Struct

from convertkit.conversion.request import BuildRequest
from convertkit.datasets.classes import ClassMap
from convertkit.datasets.coco import CocoDataset, CocoImage
from convertkit.datasets.doubts import doubts
from convertkit.detection.profiles import best_size
from convertkit.detection.types import Detections, Image
from convertkit.errors import UsageError
from convertkit.graph.session import Session
from convertkit.models.package import ModelPackage
from convertkit.targets.capabilities import Runtime, answers
from convertkit.verification.intervals import Estimate
from convertkit.verification.matches import Matches
from convertkit.verification.metrics import TASKS, check_tasks, evaluate
from convertkit.verification.profiled import Preparation
from convertkit.verification.results import ResultsWriter
from convertkit.verification.stream import I, Timing, stream


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

    ``requests`` are one for each of the variant's profiles, or the only one. ``done`` is how many of the photos were
    measured in an earlier look: their detections are in the results already. ``matches`` takes those of every rung, by
    task.
    """

    requests: tuple[BuildRequest, ...]
    dataset: CocoDataset
    results: Path
    tasks: tuple[str, ...]
    done: int = 0
    matches: dict[str, dict[str, Matches]] = field(default_factory=dict)

    @property
    def request(self) -> BuildRequest:
        """The first: all are equal but for the size."""
        return self.requests[0]

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
        return (*self._shares(), *doubts(found, self.tasks, ids), *self.classes.notes(found.counts(ids)))

    def by_profile(self, images: Sequence[CocoImage]) -> list[tuple[BuildRequest, list[CocoImage]]]:
        """Photos with the request that each goes to, those without photos left out."""
        sizes = [request.variant.spec.size for request in self.requests]
        found: list[list[CocoImage]] = [[] for _ in sizes]
        for image in images:
            found[sizes.index(best_size(image.height, image.width, sizes))].append(image)
        return [pair for pair in zip(self.requests, found, strict=True) if pair[1]]

    def _shares(self) -> Iterator[str]:
        if len(self.requests) > 1:
            parts = self.by_profile(self.dataset.images)
            shares = ", ".join(f"{len(images)} at {request.profile}" for request, images in parts)
            yield f"photos by profile, on every rung: {shares}"

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
    runtimes: Sequence[Runtime | Session],
    course: Course,
    on_progress: Callable[[int], None],
    *,
    pixels: bool = False,
) -> Rung:
    """Streams the photos through preprocessing, their runtime and postprocessing, and scores what comes out.

    Args:
        runtimes: one for each of the course's requests.
        pixels: they take the bytes of an image and normalise them themselves.
    """
    with course.writer(name) as writer:
        timing = detections_of(
            course.images,
            runtimes,
            course.requests,
            read=course.dataset.read,
            sink=lambda image, found: writer.write(image.id, found),
            on_progress=on_progress,
            pixels=pixels,
        )
    scored = score(course, name, timing.images_per_second)
    return msgspec.structs.replace(scored, stages={**timing.busy})


def detections_of(
    images: Iterable[I],
    runtimes: Sequence[Runtime | Session],
    requests: Sequence[BuildRequest],
    *,
    read: Callable[[I], Image],
    sink: Callable[[I, Detections], object],
    on_progress: Callable[[int], object] | None = None,
    pixels: bool = False,
) -> Timing:
    """Streams photos through preprocessing, a runtime and postprocessing; arguments and errors as :func:`stream`.

    Args:
        runtimes, requests: one for each of the variant's profiles, or the only one.
    """
    package, variant = requests[0].package, requests[0].variant
    settings = package.preprocess_spec(variant)
    sizes = [request.variant.spec.size for request in requests]
    preparation = Preparation(package, settings if pixels else settings.on_host(), sizes)
    return stream(
        images,
        read=read,
        preprocess=preparation,
        run=functools.partial(answers, preparation.runtime(runtimes)),
        postprocess=package.detections,
        sink=sink,
        on_progress=on_progress,
        batch=variant.spec.batch,
    )


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
