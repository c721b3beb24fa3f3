"""The photos on which two rungs disagree most, drawn side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from convertkit.datasets.coco import CocoDataset, CocoImage
from convertkit.detection.compare import Comparison, Tolerance, compare_detections
from convertkit.detection.drawing.paint import paint, side_by_side
from convertkit.detection.types import RLE, Detections
from convertkit.reports.page.blocks import Picture, Words
from convertkit.scoring.results import Result, read_results

SCORE = 0.3
"""Detections below it are neither compared nor drawn."""
MOST_PHOTOS = 6
SIDE = 640
"""Pixels of the longer side of a photo in the page."""
QUALITY = 80


@dataclass(frozen=True)
class Disagreement:
    """One photo, with what each rung found in it, and how far that is apart."""

    image: CocoImage
    found: tuple[Detections, Detections]
    comparison: Comparison

    @property
    def far(self) -> tuple[float, ...]:
        """To sort by: detections that only one rung has, then overlap, then score."""
        alone = self.comparison.unmatched_before + self.comparison.unmatched_after
        return (alone, 1 - self.comparison.min_iou, self.comparison.max_score_error)


def disagreements(dataset: CocoDataset, files: Sequence[Path]) -> list[Disagreement]:
    """The photos that two files of detections differ on, the worst first."""
    first, second = (_by_image(dataset, file) for file in files)
    found = []
    for image in dataset.images:
        pair = first[image.id], second[image.id]
        compared = compare_detections(_arrays(pair[0]), _arrays(pair[1]), Tolerance())
        if not compared.ok:
            found.append(Disagreement(image, pair, compared))
    return sorted(found, key=lambda one: one.far, reverse=True)


def pictures(
    found: Sequence[Disagreement], names: Sequence[str], classes: Sequence[str]
) -> Iterator[Picture | Words]:
    """The worst ones: drawn, or in words where the photo is not here."""
    for one in found[:MOST_PHOTOS]:
        counts = ", ".join(
            f"{name} has {len(seen)} detections" for name, seen in zip(names, one.found, strict=True)
        )
        said = f"{one.image}: {counts}; {one.comparison.summary}"
        if not one.image.path.is_file():
            yield Words(said)
            continue
        photo = CocoDataset.read(one.image)
        drawn = {
            name: paint(photo, seen, classes, SCORE) for name, seen in zip(names, one.found, strict=True)
        }
        picture = _small(side_by_side(drawn), SIDE * len(names))
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        yield Picture(said, said, data, picture.shape[1], picture.shape[0])


def categories(dataset: CocoDataset) -> list[str]:
    """Names by the labels of :func:`disagreements`: the dataset's own order."""
    return [category.name for category in dataset.found.categories]


def _small(picture: np.ndarray, most: int) -> np.ndarray:
    scale = most / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _by_image(dataset: CocoDataset, file: Path) -> defaultdict[int, Detections]:
    sizes = {image.id: (image.height, image.width) for image in dataset.found.images}
    labels = {category.id: index for index, category in enumerate(dataset.found.categories)}
    groups: dict[int, list[Result]] = defaultdict(list)
    for result in read_results(file, sizes, labels.keys(), require=["bbox"]):
        if result.score > SCORE:
            groups[result.image_id].append(result)
    nothing = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
    return defaultdict(
        lambda: nothing, {image: _detections(group, labels) for image, group in groups.items()}
    )


def _detections(group: Sequence[Result], labels: dict[int, int]) -> Detections:
    boxes = np.array([one.bbox for one in group], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    masks = [
        RLE(size=list(one.segmentation.size), counts=one.segmentation.counts)
        for one in group
        if one.segmentation is not None
    ]
    return Detections(
        boxes,
        np.array([one.score for one in group], np.float32),
        np.array([labels[one.category_id] for one in group], np.int64),
        tuple(masks) if len(masks) == len(group) else None,
    )


def _arrays(found: Detections) -> dict[str, np.ndarray]:
    """With an empty slot at the end: these lists have no size of their own at which a detection could fall off."""
    rows = np.column_stack([found.boxes, found.scores])
    return {"dets": np.vstack([rows, np.zeros((1, 5))]), "labels": np.append(found.labels, 0)}
