"""COCO annotation files, read strictly: a file from a stranger is a clear error, never a wrong metric.

What the evaluator would pass over in silence (an annotation of an image that is not listed, a mask of another
size) is refused here, with the place in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from convertkit.detection.rle import problem
from convertkit.errors import SpecError, UsageError

Id = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Pixels = Annotated[int, msgspec.Meta(gt=0, le=1 << 16)]


class Image(msgspec.Struct, frozen=True, gc=False):
    """One photo: ``file_name`` is relative to the directory of images, the size is in pixels."""

    id: Id
    file_name: str
    height: Pixels
    width: Pixels


class Category(msgspec.Struct, frozen=True, gc=False):
    """One class of objects."""

    id: Id
    name: str


class Annotation(msgspec.Struct, frozen=True, gc=False):
    """One object: ``bbox`` is x, y, width, height in pixels; the segmentation stays undecoded until it is needed."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: Literal[0, 1] = 0
    segmentation: msgspec.Raw = msgspec.Raw()


class AnnotationFile(msgspec.Struct, frozen=True):
    """An annotation file: images, categories and annotations in the order of the file."""

    images: list[Image]
    categories: list[Category]
    annotations: list[Annotation]


class _RunLengths(msgspec.Struct, frozen=True, gc=False):
    size: tuple[int, int]
    counts: str | list[int]


_DECODER = msgspec.json.Decoder(AnnotationFile)
_SEGMENTATION = msgspec.json.Decoder(_RunLengths | list[list[float]])


def read_annotations(path: Path) -> AnnotationFile:
    """Read and cross-check an annotation file.

    Raises:
        UsageError: the file is missing or cannot be read.
        SpecError: it is not JSON, a key is missing or of the wrong type, an id occurs twice, or an annotation
            belongs to an image or a category that is not listed.
    """
    try:
        found = _DECODER.decode(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path}: no such annotation file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except msgspec.ValidationError as error:
        raise SpecError(f"{path}: {explain(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"{path}: not a JSON file ({error})") from error
    images = _unique(path, "images", [image.id for image in found.images])
    categories = _unique(path, "categories", [category.id for category in found.categories])
    _unique(path, "annotations", [annotation.id for annotation in found.annotations])
    for index, annotation in enumerate(found.annotations):
        if annotation.image_id not in images:
            raise SpecError(
                f"{path}: annotations[{index}]: image_id {annotation.image_id} is not among the images"
            )
        if annotation.category_id not in categories:
            raise SpecError(
                f"{path}: annotations[{index}]: category_id {annotation.category_id} is no category"
            )
    return found


def check_segmentations(path: Path, found: AnnotationFile) -> None:
    """Make sure that every annotation has a mask that means something, for an evaluation of masks.

    Raises:
        SpecError: an annotation has none, a polygon has less than three points, or run lengths do not cover
            exactly the image.
    """
    sizes = {image.id: (image.height, image.width) for image in found.images}
    for index, annotation in enumerate(found.annotations):
        problem = _segmentation_problem(annotation.segmentation, sizes[annotation.image_id])
        if problem:
            raise SpecError(f"{path}: annotations[{index}] (id {annotation.id}): {problem}")


def explain(error: msgspec.ValidationError) -> str:
    """msgspec's complaint with the place first: ``images[3].id: Expected `int`, got `str```."""
    text, _, place = str(error).partition(" - at ")
    key = place.strip("`").removeprefix("$").removeprefix(".")
    return f"{key}: {text}" if key else text


def _segmentation_problem(raw: msgspec.Raw, size: tuple[int, int]) -> str | None:
    if not bytes(raw):
        return "no segmentation, but masks are to be evaluated"
    try:
        shape = _SEGMENTATION.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "segmentation is neither polygons nor run lengths"
    if isinstance(shape, list):
        good = bool(shape) and all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in shape)
        return None if good else "a polygon has at least three points: x, y, x, y, x, y"
    if shape.size != size:
        return f"run lengths for {shape.size[0]} x {shape.size[1]} pixels, but the image has {size[0]} x {size[1]}"
    if isinstance(shape.counts, str):
        return problem(shape.size[0], shape.size[1], shape.counts)
    covered = min(shape.counts, default=0) >= 0 and sum(shape.counts) == size[0] * size[1]
    return None if covered else "run lengths do not cover exactly the image"


def _unique(path: Path, key: str, ids: Iterable[int]) -> set[int]:
    seen: set[int] = set()
    for index, value in enumerate(ids):
        if value in seen:
            raise SpecError(f"{path}: {key}[{index}]: id {value} occurs twice")
        seen.add(value)
    return seen
