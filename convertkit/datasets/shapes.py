"""What an evaluation of boxes or masks needs of every annotation, looked at before anything runs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import hotcoco.mask
import msgspec

from convertkit.datasets.annotations import FARTHEST, Annotation, AnnotationFile
from convertkit.datasets.faults import refuse
from convertkit.datasets.filed import Some
from convertkit.detection.rle import problem

EMPTY = (b"", b"null", b"[]", b"{}", b'""')
"""How tools write that there is no mask."""


class _RunLengths(msgspec.Struct, frozen=True, gc=False):
    size: tuple[int, int]
    counts: str | list[int]


_SEGMENTATION = msgspec.json.Decoder(_RunLengths | list[list[float]], strict=False)


def check_shapes(found: AnnotationFile, tasks: Sequence[str]) -> None:
    """Make sure that every annotation has what is to be evaluated.

    Raises:
        SpecError: one has not; the error is about all of them.
    """
    refuse(found.path, list(faulty_shapes(found, tasks)))


def faulty_shapes(found: AnnotationFile, tasks: Sequence[str]) -> Iterator[str]:
    """What :func:`check_shapes` refuses: a missing box or mask, a polygon with less than three points, run lengths
    that do not cover exactly the image."""
    if "bbox" in tasks:
        bare = Some(found.annotations, lambda one: not one.bbox)
        yield from _lacking(bare, "box")
    if "segm" not in tasks:
        return
    bare = Some(found.annotations, lambda one: not has_mask(one))
    yield from _lacking(bare, "mask")
    sizes = {image.id: (image.height, image.width) for image in found.images}
    for annotation in found.annotations:
        if has_mask(annotation):
            fault = _fault(annotation.segmentation, sizes[annotation.image_id])
            if fault:
                yield f"annotation {annotation.id}: segmentation: {fault}"


def has_mask(annotation: Annotation) -> bool:
    """Whether there is a segmentation, right or wrong."""
    return raw_mask(annotation) not in EMPTY


def raw_mask(annotation: Annotation) -> bytes:
    """The segmentation as it is written, without blanks."""
    return bytes(annotation.segmentation).replace(b" ", b"")


def mask_of(annotation: Annotation) -> Any:
    """A checked segmentation as the evaluator takes it: polygons, or run lengths as a dictionary."""
    shape = _SEGMENTATION.decode(annotation.segmentation)
    return shape if isinstance(shape, list) else {"size": list(shape.size), "counts": shape.counts}


def extent_of(annotation: Annotation, size: tuple[int, int]) -> tuple[float, ...]:
    """x1 y1 x2 y2 around a checked segmentation, in pixels; all 0 where it covers nothing."""
    shape = _SEGMENTATION.decode(annotation.segmentation)
    if isinstance(shape, list):
        numbers = shape[0] if len(shape) == 1 else list(itertools.chain(*shape))
        xs, ys = numbers[::2], numbers[1::2]
        return min(xs), min(ys), max(xs), max(ys)
    lengths: Any = hotcoco.mask.frPyObjects({"size": list(shape.size), "counts": shape.counts}, *size)
    x, y, width, height = map(float, hotcoco.mask.toBbox(lengths))
    return x, y, x + width, y + height


def area_of(annotation: Annotation, size: tuple[int, int], *, masks: bool) -> float:
    """The area a file gives, else that of the mask (where masks were checked), else of the box; in pixels."""
    if annotation.area is not None:
        return annotation.area
    if masks:
        lengths: Any = hotcoco.mask.frPyObjects(mask_of(annotation), *size)
        return float(hotcoco.mask.area(hotcoco.mask.merge(lengths) if isinstance(lengths, list) else lengths))
    _, _, width, height = annotation.bbox or (0.0, 0.0, 0.0, 0.0)
    return width * height


def _lacking(bare: Sequence[Annotation], lack: str) -> Iterator[str]:
    """One line for all of a kind, of which a file made without masks has thousands."""
    if not bare:
        return
    first, more = bare[0], f", and so have {len(bare) - 1} more" if len(bare) > 1 else ""
    if not first.bbox and not has_mask(first):
        yield f"annotation {first.id} has neither box nor mask{more}"
        return
    has, alone = ("box", "bbox scores boxes") if lack == "mask" else ("mask", "segm scores masks")
    yield f"annotation {first.id} has a {has} and no {lack}{more} (--tasks {alone} alone)"


def _fault(raw: msgspec.Raw, size: tuple[int, int]) -> str | None:
    try:
        shape = _SEGMENTATION.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "neither polygons nor run lengths"
    if isinstance(shape, list):
        numbers = list(itertools.chain(*shape))
        if not all(map(math.isfinite, numbers)):
            return "a number is not finite"
        if numbers and max(max(numbers), -min(numbers)) > FARTHEST:
            return f"a number is beyond any image ({max(numbers, key=abs):g} pixels)"
        if all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in shape):
            return None
        return "a polygon has at least three points: x, y, x, y, x, y"
    if shape.size != size:
        return f"run lengths for {shape.size[0]} x {shape.size[1]} pixels, but the image has {size[0]} x {size[1]}"
    if isinstance(shape.counts, str):
        return problem(shape.size[0], shape.size[1], shape.counts)
    covered = min(shape.counts, default=0) >= 0 and sum(shape.counts) == size[0] * size[1]
    return None if covered else "run lengths do not cover exactly the image"
