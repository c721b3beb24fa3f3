"""Result files to detections, their accuracy and the verdict: the second half of a verification by files.

The same postprocessing, the same writer and the same metrics as the streaming one, photo by photo in the same
order: the file of detections is the same byte for byte.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from msgspec import Struct

from convertkit.datasets.annotations import AnnotationFile, check_segmentations, read_annotations
from convertkit.datasets.coco import CocoDataset
from convertkit.detection.types import Detections
from convertkit.errors import SpecError, UsageError
from convertkit.models.package import ModelPackage, Variant
from convertkit.verify.judge import Verdict, judge
from convertkit.verify.metrics import evaluate
from convertkit.verify.results import ResultsWriter
from convertkit.verify.stream import stream
from convertkit.workflow.record import Prepared, PreparedPhoto
from convertkit.workflow.result_files import ResultFiles

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
        scores: task -> metric -> value in 0..1; empty without annotations.
        verdict: the accuracy spec's.
    """

    model: str
    variant: str
    images: int
    prepared: int
    detections: int
    left_out: int
    scores: dict[str, dict[str, float]]
    verdict: Verdict


@dataclass(frozen=True)
class Answers:
    """Everything that one postprocessing needs.

    Attributes:
        annotations: the COCO instances file, or None to write detections without scoring them.
        own: whether it is the one the accuracy spec was written for.
        partial: score the photos whose results are complete, instead of demanding all.
    """

    package: ModelPackage
    variant: Variant
    record: Prepared
    files: ResultFiles
    annotations: Path | None
    own: bool
    partial: bool = False

    def photos(self) -> tuple[PreparedPhoto, ...]:
        """Those that are postprocessed.

        Raises:
            UsageError: there is none.
        """
        if not self.partial:
            return self.record.photos
        found = tuple(photo for photo in self.record.photos if self.files.complete(photo.stem))
        if not found:
            raise UsageError(
                f"{self.files.root}: no photo has all of its {len(self.files.outputs)} outputs there"
            )
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
        detections: the file to write: COCO results, one JSON object a line.
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
            postprocess=lambda outputs, place: package.model.postprocess(
                outputs, place, package.spec.postprocess
            ),
            sink=sink,
            on_progress=on_progress,
        )
    scores = truth.score(detections)
    return Finished(
        model=package.spec.name,
        variant=answers.variant.name,
        images=len(photos),
        prepared=len(answers.record.photos),
        detections=writer.written,
        left_out=writer.left_out,
        scores=scores,
        verdict=_verdict(answers, scores, len(photos)),
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

    annotations: Path | None
    tasks: tuple[str, ...]
    ids: tuple[int, ...]
    category_ids: tuple[int | None, ...]

    @classmethod
    def of(cls, answers: Answers, photos: Sequence[PreparedPhoto]) -> _Truth:
        roles = {tensor.role for tensor in answers.package.spec.outputs.values()}
        tasks = ("bbox", "segm") if "masks" in roles else ("bbox",)
        path, classes = answers.annotations, answers.package.spec.classes
        if path is None:
            ids = tuple(photo.id if photo.id is not None else index for index, photo in enumerate(photos))
            return cls(None, tasks, ids, tuple(range(len(classes) or MAX_LABEL)))
        found = read_annotations(path)
        if "segm" in tasks:
            check_segmentations(path, found)
        mapped = CocoDataset(path, (), tuple(found.categories)).class_map(classes)
        return cls(path, tasks, _ids(path, found, photos), mapped.category_ids)

    def score(self, detections: Path) -> dict[str, dict[str, float]]:
        if self.annotations is None:
            return {}
        found = evaluate(self.annotations, detections, self.tasks, image_ids=self.ids)
        return {task: metrics.as_dict() for task, metrics in found.items()}


def _ids(path: Path, found: AnnotationFile, photos: Sequence[PreparedPhoto]) -> tuple[int, ...]:
    """The image id of every photo: by the name it has in the annotation file, its size being the same."""
    by_name = {PurePath(os.path.normpath(image.file_name)).as_posix(): image for image in found.images}
    ids = []
    for photo in photos:
        image = by_name.get(photo.name)
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


def _verdict(answers: Answers, scores: dict[str, dict[str, float]], images: int) -> Verdict:
    if not scores:
        return Verdict(False, True, "there are no annotations to score against")
    own = answers.own and images == len(answers.record.photos)
    return judge(scores, answers.variant.spec.accuracy, images=images, own=own)
