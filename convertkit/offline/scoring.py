"""Result files to detections, their accuracy and the verdict: the second half of a verification by files.

The same postprocessing, the same writer and the same metrics as the streaming one, photo by photo in the same
order: the file of detections is the same byte for byte.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from convertkit.datasets.annotations import AnnotationFile, read_annotations
from convertkit.datasets.classes import match_classes
from convertkit.datasets.doubts import contradictions, doubts
from convertkit.datasets.faults import refuse
from convertkit.datasets.places import from_windows, plain_name
from convertkit.datasets.shapes import check_shapes
from convertkit.detection.types import Detections
from convertkit.errors import SpecError, UsageError
from convertkit.models.package import ModelPackage, Variant, describe
from convertkit.offline.prepared import Prepared, PreparedPhoto
from convertkit.offline.profiles import ProfiledFiles
from convertkit.offline.result_files import ResultFiles
from convertkit.rungs.rung import tasks_of
from convertkit.rungs.stream import stream
from convertkit.scoring.metrics import Metrics, evaluate
from convertkit.scoring.results import ResultsWriter
from convertkit.verification.gates import demanded, gate_text
from convertkit.verification.judge import Verdict, judge

MAX_LABEL = 1 << 16
"""Class indices that are written where no annotation file gives them a meaning."""


class Finished(Struct, frozen=True):
    """What the result files say.

    Attributes:
        model, variant: what was verified.
        images: how many photos were scored.
        prepared: how many were prepared.
        detections: how many were written.
        left_out: how many belong to classes that the dataset does not know.
        notes: what a reader of the figures has to know, a line each.
        scores: task -> metric -> value in 0..1; empty without annotations.
        per_class: task -> category -> AP in 0..1, or -1 where there is nothing to find.
        verdict: the accuracy spec's.
    """

    model: str
    variant: str
    images: int
    prepared: int
    detections: int
    left_out: int
    notes: tuple[str, ...]
    scores: dict[str, dict[str, float]]
    per_class: dict[str, dict[str, float]]
    verdict: Verdict


@dataclass(frozen=True)
class Answers:
    """Everything that one postprocessing needs.

    Attributes:
        annotations: the COCO instances file, or None to write detections without scoring them.
        own: whether it is the one the accuracy spec was written for.
        partial: score the photos whose results are complete, instead of demanding all.
        tasks: ``bbox``, ``segm`` or both; all that the model has by default.
    """

    package: ModelPackage
    variant: Variant
    record: Prepared
    files: ResultFiles | ProfiledFiles
    annotations: Path | None
    own: bool
    partial: bool = False
    tasks: tuple[str, ...] = ()

    def photos(self) -> tuple[PreparedPhoto, ...]:
        """Those that are postprocessed.

        Raises:
            UsageError: there is none.
        """
        if not self.partial:
            return self.record.photos
        found = tuple(photo for photo in self.record.photos if self.files.complete(photo.stem))
        if not found:
            raise UsageError(f"{self.files.root}: no photo has all of its {self.files.count} outputs there")
        return found


def finish(
    answers: Answers,
    detections: Path,
    *,
    draw: Callable[[PreparedPhoto, Detections], object] | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Finished:
    """Postprocesses every photo and scores what comes out.

    Args:
        detections: the file to write, in a form by its name: see :class:`ResultsWriter`.
        draw: also told the detections of every photo.

    Raises:
        UsageError: a file is missing or damaged. SpecError: the annotations are of other photos.
        GraphError: outputs that are no detections; the message names the photo.
    """
    package, photos = answers.package, answers.photos()
    truth = _Truth.of(answers, photos)
    numbers = {photo.stem: index for index, photo in enumerate(photos)}
    with ResultsWriter(detections, truth.category_ids) as writer:

        def sink(photo: _Named, found: Detections) -> None:
            writer.write(truth.ids[numbers[photo.photo.stem]], found)
            if draw is not None:
                draw(photo.photo, found)

        stream(
            map(_Named, photos),
            read=lambda photo: (answers.files.read(photo.photo.stem), photo.photo.placement),
            preprocess=lambda pair: pair,
            run=lambda outputs: outputs,
            postprocess=package.detections,
            sink=sink,
            on_progress=on_progress,
        )
    found = truth.score(detections)
    scores = {task: metrics.as_dict() for task, metrics in found.items()}
    doubts = (metrics.doubt for metrics in found.values() if metrics.doubt)
    return Finished(
        model=package.spec.name,
        variant=answers.variant.name,
        images=len(photos),
        prepared=len(answers.record.photos),
        detections=writer.written,
        left_out=writer.left_out,
        notes=(*_settings(answers), *truth.notes, *itertools.islice(doubts, 1)),
        scores=scores,
        per_class={task: dict(metrics.per_class) for task, metrics in found.items()},
        verdict=_verdict(answers, truth, scores, len(photos)),
    )


@dataclass(frozen=True)
class _Named:
    """A photo that is called by its stem in errors."""

    photo: PreparedPhoto

    def __str__(self) -> str:
        return self.photo.stem


@dataclass(frozen=True)
class _Truth:
    """The annotations, or what stands for them where there are none."""

    annotations: AnnotationFile | None
    tasks: tuple[str, ...]
    ids: tuple[int, ...]
    category_ids: tuple[int | None, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, answers: Answers, photos: Sequence[PreparedPhoto]) -> _Truth:
        tasks = tasks_of(answers.package, answers.tasks)
        path, classes = answers.annotations, answers.package.spec.classes
        if path is None:
            ids = tuple(photo.id if photo.id is not None else index for index, photo in enumerate(photos))
            return cls(None, tasks, ids, tuple(range(len(classes) or MAX_LABEL)))
        found = read_annotations(path)
        check_shapes(found, tasks)
        refuse(path, list(contradictions(found, tasks)))
        mapped, ids = match_classes(path, found.categories, classes), _ids(path, found, photos)
        return cls(
            found,
            tasks,
            ids,
            mapped.category_ids,
            (*doubts(found, tasks, ids), *mapped.notes(found.counts(ids))),
        )

    def score(self, detections: Path) -> dict[str, Metrics]:
        if self.annotations is None:
            return {}
        return evaluate(self.annotations, detections, self.tasks, image_ids=self.ids)


def _ids(path: Path, found: AnnotationFile, photos: Sequence[PreparedPhoto]) -> tuple[int, ...]:
    """The image id of every photo: by the name it has in the annotation file, its size being the same."""
    names = {from_windows(image.file_name): image for image in found.images}
    names |= {plain_name(image.file_name): image for image in found.images}
    often = Counter(plain_name(image.file_name) for image in found.images)
    ids = []
    for photo in photos:
        image = names.get(photo.name)
        if image is not None and often[plain_name(image.file_name)] > 1:
            raise SpecError(
                f"{path}: several of its images are called {photo.name}", hint="leave one of them"
            )
        if image is None:
            raise SpecError(f"{path}: photo {photo.name} is not among its images")
        place = photo.placement
        if place is not None and (place.source_height, place.source_width) != (image.height, image.width):
            raise SpecError(
                f"{path}: {photo.name} is {image.width} x {image.height} there, "
                f"the prepared one was {place.source_width} x {place.source_height}"
            )
        ids.append(image.id)
    return tuple(ids)


def _settings(answers: Answers) -> Iterator[str]:
    """The accuracy spec is for those of the variant; others are asked for, or those of an earlier day."""
    made = describe(answers.record.preprocess)
    own = describe(answers.package.preprocess_spec(answers.variant))
    if other := [f"{key} {made[key]}, not {own[key]}" for key in made if made[key] != own[key]]:
        yield f"prepared with other settings than the variant has: {'; '.join(other)}"


def _verdict(answers: Answers, truth: _Truth, scores: dict[str, dict[str, float]], images: int) -> Verdict:
    if truth.annotations is None:
        return Verdict(False, True, "there are no annotations to score against")
    spec, whole = answers.variant.spec.accuracy, images == len(truth.annotations.images)
    own = answers.own and images == len(answers.record.photos)
    found = judge(scores, spec, images=images, own=own, all_images=whole)
    gates = [f"{gate_text(*gate[:3])}: verify judges it" for gate in demanded(spec)]
    return found.with_gates((), tuple(gates))
