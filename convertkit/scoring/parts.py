"""The photos of an evaluation, so many at a time: neither all detections nor hotcoco's records of them are held."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hotcoco
import msgspec
import numpy as np
from numpy.typing import NDArray

from convertkit.datasets.annotations import Annotation, AnnotationFile
from convertkit.datasets.shapes import area_of, mask_of
from convertkit.scoring.results import Result, read_results
from convertkit.storage.shelf import Shelf

PHOTOS = 256
"""Photos of a part: hotcoco gives objects of Python, 0.5 MB a photo with 67 detections."""

HELD = 1 << 14
"""Detections, or annotations, that are read before they are put down."""


@dataclass(frozen=True)
class Part:
    """Some photos, their ids in ascending order, with their annotations and detections."""

    found: AnnotationFile
    ids: Sequence[int]
    results: Sequence[Result]

    def evaluation(self, task: str) -> hotcoco.COCOeval:
        """Has not run yet."""
        truth = hotcoco.COCO(truth_of(self.found, task))
        given = boxes_of(self.results) if task == "bbox" else _masks(self.results)
        evaluation = hotcoco.COCOeval(truth, truth.load_res(given), task)
        evaluation.params.img_ids = [*self.ids]
        return evaluation


class Parts:
    """All parts of an evaluation: in the order of the photos' ids, :data:`PHOTOS` each.

    Args:
        image_ids: the photos, in ascending order; results of others are checked and left out.
        results, require: as :func:`~convertkit.scoring.results.read_results` takes them, which raises.
    """

    def __init__(
        self,
        found: AnnotationFile,
        image_ids: Sequence[int],
        results: Path | Iterable[Mapping[str, Any]],
        require: Sequence[str],
    ) -> None:
        self._found, self.ids = found, image_ids
        self._number = {image: index // PHOTOS for index, image in enumerate(image_ids)}
        sizes = {image.id: (image.height, image.width) for image in found.images}
        categories = {category.id for category in found.categories}
        self._results = self._put_down(read_results(results, sizes, categories, require=require))
        self._images = self._sorted(found.images, [image.id for image in found.images])
        self._annotations = self._put_down(found.annotations)

    def __iter__(self) -> Iterator[Part]:
        return (self._part([number]) for number in range(-(-len(self.ids) // PHOTOS)))

    def first(self, most: int) -> Part:
        """Those that begin with the first photos, at most so many: a multiple of :data:`PHOTOS`."""
        return self._part(range(min(most, len(self.ids) + PHOTOS - 1) // PHOTOS))

    def _part(self, numbers: Sequence[int]) -> Part:
        results, annotations = msgspec.json.Decoder(Result), msgspec.json.Decoder(Annotation)
        found = msgspec.structs.replace(
            self._found,
            images=[image for number in numbers for image in self._images[number]],
            annotations=[
                one for number in numbers for one in annotations.decode_lines(self._annotations.of(number))
            ],
        )
        ids = self.ids[numbers[0] * PHOTOS : (numbers[-1] + 1) * PHOTOS]
        return Part(
            found, ids, [one for number in numbers for one in results.decode_lines(self._results.of(number))]
        )

    def _put_down(self, things: Iterable[Result | Annotation]) -> Shelf[int]:
        shelf, encoder, rest = Shelf[int](), msgspec.json.Encoder(), iter(things)
        while some := list(itertools.islice(rest, HELD)):
            for number, own in self._sorted(some, [one.image_id for one in some]).items():
                shelf.add(number, encoder.encode_lines(own))
        return shelf

    def _sorted(self, things: Iterable[Any], image_ids: Iterable[int]) -> dict[int, list[Any]]:
        """By part, in their order."""
        found: dict[int, list[Any]] = defaultdict(list)
        for thing, image in zip(things, image_ids, strict=True):
            if (number := self._number.get(image)) is not None:
                found[number].append(thing)
        return found


def truth_of(found: AnnotationFile, task: str, image_ids: Collection[int] | None = None) -> dict[str, Any]:
    """The annotations of these images, or of all, as a COCO dataset that holds nothing else."""
    sizes = {image.id: (image.height, image.width) for image in found.images}
    masks, chosen = task == "segm", sizes.keys() if image_ids is None else image_ids
    return {
        "images": [
            {"id": image.id, "file_name": "", "height": image.height, "width": image.width}
            for image in found.images
            if image.id in chosen
        ],
        "categories": [{"id": category.id, "name": str(category.id)} for category in found.categories],
        "annotations": [
            {
                "id": annotation.id,
                "image_id": annotation.image_id,
                "category_id": annotation.category_id,
                "bbox": list(annotation.bbox or (0, 0, 0, 0)),
                "area": area_of(annotation, sizes[annotation.image_id], masks=masks),
                "iscrowd": int(annotation.iscrowd or 0),
                **({"segmentation": mask_of(annotation)} if masks else {}),
            }
            for annotation in found.annotations
            if annotation.image_id in chosen
        ],
    }


def boxes_of(detections: Sequence[Result]) -> NDArray[np.float64]:
    """``(N, 7) float64``: image id, x, y, width, height, score, category id. Ids are exact up to 2**53."""
    rows = np.empty((len(detections), 7))
    for index, found in enumerate(detections):
        rows[index] = (found.image_id, *(found.bbox or ()), found.score, found.category_id)
    return rows


def _masks(detections: Sequence[Result]) -> list[dict[str, Any]]:
    """COCO dictionaries without a box: so the area is that of the mask."""
    return [
        {
            "image_id": found.image_id,
            "category_id": found.category_id,
            "score": found.score,
            "segmentation": {"size": list(mask.size), "counts": mask.counts},
        }
        for found in detections
        if (mask := found.segmentation) is not None
    ]
