"""The rungs of the ladder: the same photos and metrics, whatever runs them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

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
from convertkit.rungs.hands import Hand
from convertkit.rungs.journal import Journals
from convertkit.rungs.profiled import Preparation
from convertkit.rungs.stream import I, Timing, stream
from convertkit.rungs.terms import Terms
from convertkit.scoring.intervals import Estimate
from convertkit.scoring.matches import Matches
from convertkit.scoring.metrics import TASKS, check_tasks, evaluate
from convertkit.scoring.mistakes import Mistake
from convertkit.scoring.results import ResultsWriter, refuse_unusable
from convertkit.targets.capabilities import Runtime, answers


class Rung(Struct, frozen=True):
    """The accuracy of one rung.

    Attributes:
        name: as in :mod:`convertkit.rungs.names`.
        scores: task (``bbox``, ``segm``) -> metric -> value in 0..1.
        images: how many photos it was measured on.
        images_per_second: end to end, reading and postprocessing included; None where it was not run.
        origin: ``measured`` now, or where a recorded figure comes from.
        stages: seconds busy per stage, summed over threads.
        per_class: task -> category -> AP in 0..1, or -1 where there is nothing to find.
        mistakes: task -> kind of error, by TIDE's name -> what it costs; of the first 5,120 photos at most.
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
    mistakes: dict[str, dict[str, Mistake]] = {}
    note: str = ""
    intervals: dict[str, dict[str, Estimate]] = {}
    failure: str = ""


@dataclass(frozen=True)
class Course:
    """What every rung of one ladder has in common: the terms, the photos, where results go, what runs.

    ``results`` is where the files of detections go, ``journals`` what is known of a rung before. ``requests`` are one
    for each of the variant's profiles, or the only one; none where nothing is run. ``workers`` is in how many
    processes, ``skip_bad`` whether photos that end them are left out, ``hire`` makes one, by default as
    :func:`~convertkit.workers.local.local`. ``matches`` takes those of every rung, by task.
    """

    terms: Terms
    dataset: CocoDataset
    results: Path
    journals: Journals
    requests: tuple[BuildRequest, ...] = ()
    workers: int = 1
    skip_bad: bool = False
    hire: Callable[..., Hand] | None = None
    matches: dict[str, dict[str, Matches]] = field(default_factory=dict)

    @property
    def request(self) -> BuildRequest:
        """The first: all are equal but for the size."""
        return self.requests[0]

    @cached_property
    def classes(self) -> ClassMap:
        """The dataset's category of each class of the model."""
        return self.dataset.class_map(self.terms.classes)

    @property
    def category_ids(self) -> tuple[int | None, ...]:
        """Of each class of the model; None for one that the dataset has not."""
        return self.classes.category_ids

    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures has to know of the annotations, and of the names on either side."""
        found, ids = self.dataset.found, [image.id for image in self.dataset.images]
        return (
            *self._shares(),
            *doubts(found, self.terms.tasks, ids),
            *self.classes.notes(found.counts(ids)),
        )

    def by_profile(self, images: Sequence[CocoImage]) -> dict[str, list[CocoImage]]:
        """Photos by the profile that each goes to, those without photos left out."""
        sizes = {size: profile for profile, size in self.terms.sizes.items()}
        found: dict[str, list[CocoImage]] = {profile: [] for profile in self.terms.sizes}
        for image in images:
            found[sizes[best_size(image.height, image.width, [*sizes])]].append(image)
        return {profile: part for profile, part in found.items() if part}

    def _shares(self) -> Iterator[str]:
        if len(self.terms.sizes) > 1:
            parts = self.by_profile(self.dataset.images)
            shares = ", ".join(f"{len(images)} at {profile}" for profile, images in parts.items())
            yield f"photos by profile, on every rung: {shares}"

    def without(self, bad: Mapping[int, str]) -> Course:
        """The same without photos, by their ids, and why."""
        left = tuple(image for image in self.dataset.images if image.id not in bad)
        dataset = replace(self.dataset, images=left, bad={**self.dataset.bad, **bad})
        return replace(self, dataset=dataset, matches={})

    def path(self, rung: str) -> Path:
        """The file of a rung's detections (COCO results, one JSON object a line)."""
        return self.results / f"{rung}.jsonl"


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


class Engine(Protocol):
    """Who gives photos to runtimes: this process, its workers, or other machines."""

    def __call__(
        self,
        images: Sequence[CocoImage],
        *,
        sink: Callable[[CocoImage, Detections], object],
        on_progress: Callable[[int], object],
    ) -> Timing:
        """Finds what is in every image.

        Args:
            sink: takes an image and its detections, in any order; only ever called from the caller's thread.
            on_progress: told the number of finished images after each one.

        Raises:
            ConvertkitError: names the image it failed on; those that the sink has taken are done.
        """
        ...


@dataclass(frozen=True)
class Ran:
    """A rung whose detections are in the results, or its failure; ``timing`` is of the photos that were run now."""

    name: str
    key: str = ""
    timing: Timing | None = None
    failure: str = ""


def run_by(
    engine: Engine, name: str, course: Course, on_progress: Callable[[int], None], *, key: str = ""
) -> Ran:
    """Lets an engine find what the rung's journal has not, and writes all to the results.

    Args:
        key: :func:`convertkit.rungs.keys.rung_key`; without one nothing is known, and nothing is kept.
    """
    images, classes = course.dataset.images, len(course.category_ids)
    with course.journals.open(key, name, [image.sha256 for image in images]) as journal:

        def keep(image: CocoImage, found: Detections) -> None:
            refuse_unusable(image.id, found, classes)
            journal.add(image.sha256, found)

        left = [image for image in images if image.sha256 not in journal]
        known = len(images) - len(left)
        advance: Callable[[int], object] = lambda count: on_progress(known + count)  # noqa: E731
        timing = engine(left, sink=keep, on_progress=advance) if left else None
        with ResultsWriter(course.path(name), course.category_ids) as writer:
            for image in images:
                writer.write(image.id, journal.find(image.sha256))
    return Ran(name, key, timing)


def in_process(
    runtimes: Sequence[Runtime | Session], requests: Sequence[BuildRequest], *, pixels: bool = False
) -> Engine:
    """The engine that runs in this process.

    Args:
        runtimes, requests: one for each of the variant's profiles, or the only one.
        pixels: the runtimes take the bytes of an image and normalise them themselves.
    """
    return functools.partial(detections_of, runtimes, requests, read=CocoDataset.read, pixels=pixels)


def detections_of(
    runtimes: Sequence[Runtime | Session],
    requests: Sequence[BuildRequest],
    images: Iterable[I],
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


def score(course: Course, ran: Ran) -> Rung:
    """COCO's twelve numbers per task, from a rung's file of detections; the matches stay with the course."""
    if ran.failure:
        return Rung(ran.name, {}, 0, failure=ran.failure)
    ids, timing = [image.id for image in course.dataset.images], ran.timing
    found = evaluate(
        course.dataset.found, course.path(ran.name), course.terms.tasks, image_ids=ids, matched=True
    )
    course.matches[ran.name] = {task: metrics.matches for task, metrics in found.items() if metrics.matches}
    return Rung(
        ran.name,
        {task: metrics.as_dict() for task, metrics in found.items()},
        len(ids),
        timing.images_per_second if timing else None,
        stages={**timing.busy} if timing else {},
        per_class={task: dict(metrics.per_class) for task, metrics in found.items()},
        mistakes={task: dict(metrics.mistakes) for task, metrics in found.items()},
        note=next((metrics.doubt for metrics in found.values() if metrics.doubt), ""),
    )
