"""What boxes and masks tell about themselves: where they cannot be what COCO says they are, and where they hardly are.

An evaluator takes any four numbers for a box. A box that is written in another way, or in other units, scores near
zero; what lies outside the image is never found; what is said twice is found once. None of it is ever set right
here: where every object contradicts the format it is a fault, where it only looks odd it is a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.datasets.annotations import Annotation, AnnotationFile
from convertkit.datasets.extents import (
    LEAST_SIDE,
    SLACK,
    Chosen,
    Numbers,
    Shapes,
    all_of,
    area_of_corners,
    corners_of,
    shapes_of,
    table,
)
from convertkit.datasets.faults import few, quoted
from convertkit.datasets.filed import Some
from convertkit.datasets.shapes import extent_of, faulty_shapes, has_mask, raw_mask

READINGS: Mapping[str, Callable[[Numbers], Numbers]] = {
    "x1, y1, x2, y2": lambda box: box,
    "the centre, width, height": lambda box: corners_of(box - box[:, [2, 3, 2, 3]] * (0.5, 0.5, 0, 0)),
    "y, x, height, width": lambda box: corners_of(box[:, [1, 0, 3, 2]]),
    "y1, x1, y2, x2": lambda box: box[:, [1, 0, 3, 2]],
}
"""How boxes are written elsewhere: from the four numbers to x1 y1 x2 y2."""

NEARLY_ALL = 0.98
"""Share of boxes that another reading has to fit: a file has its slips."""

BEYOND = 0.1
"""Share of boxes beyond the image that is suspicious; tools that round leave none by more than ``SLACK``."""

MOST = 0.5
"""Share of objects up to which COCO's reading may fit as well, where another one is proved."""

FEW = 3
"""Areas that agree with another reading by no chance, of objects of ``CLEAR`` pixels."""

CLEAR = 100.0

LOOSE = 8.0
"""Pixels by which a box that is COCO's may be drawn wider than its mask."""

COVERED = 0.7
"""IoU of mask and box as COCO reads it from which that reading is as good as another."""

ENOUGH = 20
"""Boxes of which it is no chance that all are in one quarter of their images."""


def contradictions(found: AnnotationFile, tasks: Sequence[str]) -> Iterator[str]:
    """Faults of the whole file, whose annotations are whole one by one: every object says that it is not COCO's."""
    first = {annotation.image_id for annotation in found.annotations[:1]}
    for task in tasks:
        if not all(shapes.normalised.all() for shapes in shapes_of(found, [task], first)):
            continue  # masks of a whole file take half a second
        for shapes in shapes_of(found, [task]):
            # An image may hold one object of one pixel; fractions say what they are.
            if shapes.of and shapes.normalised.all() and not shapes.whole.all():
                yield (
                    f"all {len(shapes.of)} {shapes.nouns} lie within 0..1, {shapes.like}: they are "
                    "normalised; COCO's are in pixels (multiply by width and height of the image)"
                )
    if "bbox" in tasks and (read := _other_reading(found)) and read.proved:
        yield f"{read}; COCO's is x, y, width, height (convert them)"


def doubts(found: AnnotationFile, tasks: Sequence[str], image_ids: Sequence[int]) -> Iterator[str]:
    """What a reader of the figures on these images has to know of the annotations, a line each."""
    if found.twins:
        names = few([f"{quoted(twin.name)} (id {twin.id})" for twin in found.twins])
        yield f"left out, having no annotations and the name of another category: {names}"
    chosen = set(image_ids)
    here = Some(found.annotations, lambda one: one.image_id in chosen)
    crowds = sum(bool(annotation.iscrowd) for annotation in here)
    if not here:
        yield f"no annotation on {len(chosen)} photo{'s' * (len(chosen) != 1)}, so there is nothing to find"
    if crowds > MOST * len(here):
        yield f"{crowds} of {len(here)} annotations are crowds (`iscrowd` 1), which nothing has to find"
    tables = list(shapes_of(found, tasks, chosen))
    read = _other_reading(found) if "bbox" in tasks else None
    if read:
        yield f"{read}? COCO's is x, y, width, height"
    for shapes in tables:
        yield from shapes.count(~shapes.sized, "have no size, so nothing can find them")
        yield from shapes.count(shapes.outside, "lie outside their image, so nothing can find them")
        yield from shapes.count(
            shapes.normalised & ~shapes.whole, "lie within 0..1 pixels: are they normalised?"
        )
        far = shapes.beyond & ~shapes.outside
        if not read and far.sum() > BEYOND * len(shapes.of):
            yield from shapes.count(far, "reach beyond their image")
        reach = shapes.corners[:, 2:] < shapes.images / 2
        if len(shapes.of) >= ENOUGH and reach.all() and not shapes.normalised.any():
            yield (
                f"all {len(shapes.of)} {shapes.nouns} lie in the upper left quarter of their images, "
                f"{shapes.like}: are they in pixels of these images?"
            )
    for shapes in tables[:1]:
        yield from _areas(shapes)
    if len(tables) == 2:
        yield from _apart(*tables)
    yield from _twice(here)


@dataclass(frozen=True)
class _Reading:
    """Another way in which the boxes may be meant; ``proved`` where masks or areas agree with it, of every box."""

    name: str
    beyond: int
    boxes: int
    proved: bool

    def __str__(self) -> str:
        if self.proved:
            return f"bbox: all {self.boxes} are {self.name}, as masks or areas show"
        out = f"{self.beyond} of {self.boxes} boxes reach beyond their image"
        return f"{out}, but not if `bbox` were {self.name}: is it"


def _other_reading(found: AnnotationFile) -> _Reading | None:
    """The other reading that all boxes fit, where what COCO says of the four numbers does not fit."""
    (shapes,) = shapes_of(found, ("bbox",))
    if not shapes.of:
        return None
    raw = table(annotation.bbox or () for annotation in shapes.of)
    beyond = shapes.beyond
    likely = None
    for name, read in READINGS.items():
        corners = read(raw)
        fits = _fits(corners, shapes.images)
        if fits.mean() < NEARLY_ALL:
            continue
        if fits.all() and _proved(found, shapes, corners):
            return _Reading(name, int(beyond.sum()), len(raw), proved=True)
        if likely is None and beyond.mean() >= BEYOND:
            likely = _Reading(name, int(beyond.sum()), len(raw), proved=False)
    return likely


def _fits(corners: Numbers, images: Numbers) -> Chosen:
    low, high = corners[:, :2], corners[:, 2:]
    return all_of((low >= -SLACK) & (high <= images + SLACK) & (high > low))


def _proved(found: AnnotationFile, shapes: Shapes, corners: Numbers) -> bool:
    """Whether all masks, or else all areas, agree with these corners, and half of them not with COCO's."""
    areas = np.fromiter((item.area or 0.0 for item in shapes.of), np.float64)
    ours, theirs = np.abs(areas - area_of_corners(corners)), np.abs(areas - area_of_corners(shapes.corners))
    near = 0.01 * areas + 1
    # Masks that nobody asked for may be wrong themselves.
    if not all(map(has_mask, shapes.of)) or any(faulty_shapes(found, ("segm",))):
        told = (areas >= CLEAR).sum() >= FEW and areas.all() and (ours <= near).all()
        return bool(told and np.mean(theirs <= np.maximum(ours, near)) <= MOST)
    if areas.all() and np.mean(theirs <= np.minimum(ours, near)) > MOST:
        return False  # the areas are those of the boxes as they stand
    sizes = {image.id: (image.height, image.width) for image in found.images}
    extents = table(extent_of(item, sizes[item.image_id]) for item in shapes.of)
    ours, theirs = (np.abs(extents - box).max(axis=1) for box in (corners, shapes.corners))
    plausible = (theirs <= LOOSE) | (_iou(extents, shapes.corners) >= COVERED)
    return bool((ours <= SLACK).all() and np.mean(plausible) <= MOST)


def _iou(one: Numbers, other: Numbers) -> Numbers:
    """Of each box of one with that in the same place of the other."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=1)
    union = area_of_corners(one) + area_of_corners(other) - overlap
    shared: Numbers = np.divide(overlap, union, out=np.zeros_like(union), where=union > 0)
    return shared


def _areas(shapes: Shapes) -> Iterator[str]:
    """By the area an object is small, medium or large; it is no more than that of the box around."""
    areas = np.fromiter((np.nan if item.area is None else item.area for item in shapes.of), np.float64)
    around = area_of_corners(shapes.corners)
    odd = (areas > 1.1 * around + LEAST_SIDE) | ((areas <= 1) & (around > LEAST_SIDE))
    odd &= shapes.sized & ~shapes.outside & ~shapes.beyond & ~shapes.normalised
    if odd.sum() > BEYOND * len(shapes.of):
        what = "have an `area` that theirs cannot be, by which APs, APm and APl choose"
        yield from shapes.count(odd, what)


def _apart(boxes: Shapes, masks: Shapes) -> Iterator[str]:
    low = np.maximum(boxes.corners[:, :2], masks.corners[:, :2])
    high = np.minimum(boxes.corners[:, 2:], masks.corners[:, 2:])
    apart = ~all_of(high >= low - SLACK)
    odd = ~boxes.sized | ~masks.sized | boxes.outside | masks.outside | boxes.normalised | masks.normalised
    yield from masks.count(apart & ~odd, "lie outside their own box")


def _twice(annotations: Sequence[Annotation]) -> Iterator[str]:
    """Those that may be alike by a number of each are few, and they alone are held."""
    keys = np.fromiter((hash(_place(item)) for item in annotations), np.int64)
    numbers, times = np.unique(keys, return_counts=True)
    likely, alike = set(numbers[times > 1].tolist()), dict[Any, list[Annotation]]()
    for item in annotations if likely else ():
        if not item.iscrowd and hash(place := _place(item)) in likely:
            alike.setdefault(place, []).append(item)
    again: list[tuple[Annotation, Annotation]] = []
    for group in alike.values():
        if len(group) > 1:
            again += _repeated(group)
    if again:
        what = f"{len(again)} of {len(annotations)} annotations repeat another's object"
        yield f"{what}, and count as missed (first: annotation {again[0][0].id}, which repeats {again[0][1].id})"


def _place(item: Annotation) -> tuple[int, int, tuple[float, ...] | None]:
    return item.image_id, item.category_id, item.bbox


def _repeated(group: Sequence[Annotation]) -> Iterator[tuple[Annotation, Annotation]]:
    """Of annotations with one box, those that have the mask of an earlier one; who has none may have any."""
    any_mask = next((raw_mask(item) for item in group if has_mask(item)), b"")
    seen: dict[bytes, Annotation] = {}
    for item in group:
        first = seen.setdefault(raw_mask(item) if has_mask(item) else any_mask, item)
        if first is not item:
            yield item, first
