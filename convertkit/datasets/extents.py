"""Boxes and masks of a dataset as arrays: what they reach around, and the images that they are on."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convertkit.datasets.annotations import Annotation, AnnotationFile
from convertkit.datasets.filed import Some
from convertkit.datasets.shapes import extent_of

Numbers = NDArray[np.float64]
Chosen = NDArray[np.bool_]

SLACK = 2.0
"""Pixels by which tools differ."""

NORMALISED = 1.05
"""Most that is 0..1, with the slips of tools: the first corner or the centre, and what is the size or a corner."""

LEAST_SIDE = 16
"""Pixels on a side from which an object within the first pixels is suspicious."""


@dataclass(frozen=True)
class Shapes:
    """Boxes or masks: ``(N, 4) float64`` x1 y1 x2 y2, and ``(N, 2)`` width and height of the images."""

    noun: str
    nouns: str
    of: Sequence[Annotation]
    corners: Numbers
    images: Numbers

    def count(self, chosen: Chosen, what: str) -> Iterator[str]:
        """A line on the chosen ones, or none."""
        if number := int(chosen.sum()):
            first = self.of[int(chosen.argmax())].id
            nouns = self.nouns if len(self.of) > 1 else self.noun
            yield f"{number} of {len(self.of)} {nouns} {what} (first: annotation {first})"

    @property
    def like(self) -> str:
        x1, y1, x2, y2 = self.corners[0]
        return f"like {x1:g} {y1:g} to {x2:g} {y2:g} in {self.images[0, 0]:g} x {self.images[0, 1]:g} pixels"

    @property
    def sized(self) -> Chosen:
        return all_of(self.corners[:, 2:] > self.corners[:, :2])

    @property
    def outside(self) -> Chosen:
        return self.sized & ~all_of((self.corners[:, :2] < self.images) & (self.corners[:, 2:] > 0))

    @property
    def normalised(self) -> Chosen:
        low, size = self.corners[:, :2], self.corners[:, 2:] - self.corners[:, :2]
        within = (low > -0.5) & (low <= NORMALISED) & (size <= NORMALISED)
        return self.sized & all_of(within) & all_of(self.images >= LEAST_SIDE)

    @property
    def whole(self) -> Chosen:
        """Of whole pixels, wherever they are."""
        return all_of((self.corners[:, 2:] - self.corners[:, :2]) % 1 == 0)

    @property
    def beyond(self) -> Chosen:
        return ~all_of(self.corners[:, 2:] <= self.images + SLACK)


def shapes_of(
    found: AnnotationFile, tasks: Sequence[str], image_ids: set[int] | None = None
) -> Iterator[Shapes]:
    """What is to be found for these tasks (crowds are not), on all images or on these; checked by ``check_shapes``."""
    sizes = {image.id: (image.height, image.width) for image in found.images}
    counted = Some(
        found.annotations,
        lambda one: not one.iscrowd and (image_ids is None or one.image_id in image_ids),
    )
    images = table((sizes[one.image_id] for one in counted), 2)[:, ::-1]
    if "bbox" in tasks:
        boxes = table(one.bbox or () for one in counted)
        yield Shapes("box", "boxes", counted, corners_of(boxes), images)
    if "segm" in tasks:
        extents = table(extent_of(one, sizes[one.image_id]) for one in counted)
        yield Shapes("mask", "masks", counted, extents, images)


def corners_of(box: Numbers) -> Numbers:
    return np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1)


def all_of(values: Chosen) -> Chosen:
    """For each shape, whether it is so in every column."""
    return np.logical_and.reduce(values, axis=1)  # type: ignore[no-any-return]


def area_of_corners(corners: Numbers) -> Numbers:
    area: Numbers = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    return area


def table(rows: Iterable[Iterable[float]], columns: int = 4) -> Numbers:
    """``(rows, columns) float64``; no more than a row of what it is made of is held."""
    return np.fromiter(itertools.chain.from_iterable(rows), np.float64).reshape(-1, columns)
