"""COCO annotation files as people have them: taken where there is one meaning, refused with the place where not.

What nobody needs is not looked at. What the evaluator would pass over in silence (an annotation of an image that is
not listed) is a fault, and all faults of a file are found at once. Of a large file the annotations are not held: they
are read one by one and wait in ``TMPDIR``.
"""

from __future__ import annotations

import contextlib
import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import numpy as np

from convertkit.datasets.faults import refuse
from convertkit.datasets.filed import Filed
from convertkit.datasets.lists import LISTS, MOST_BYTES, named, read_lists
from convertkit.datasets.spelling import spelt
from convertkit.datasets.streaming import UnusualError, entries
from convertkit.errors import SpecError
from convertkit.storage.copies import file_of
from convertkit.storage.reading import open_regular
from convertkit.storage.urls import Where

Id = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Pixels = Annotated[int, msgspec.Meta(gt=0, le=1 << 16)]

Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]

T = TypeVar("T")

FARTHEST = 1 << 20
"""Pixels from the image's corner; the largest image has 65,536."""

LARGE = 32 << 20
"""Bytes of a file from which its annotations are not held; val2017's has 20 million, train2017's 450."""


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


class Annotation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One object: ``bbox`` is x, y, width, height in pixels; the segmentation stays undecoded until it is needed.

    Files differ in what they leave out: without an ``area`` it is that of the mask, else of the box; a box or a
    mask need only be there where it is to be evaluated.
    """

    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[float, ...] | None = None
    area: float | None = None
    iscrowd: Flag | bool | None = 0
    segmentation: msgspec.Raw = msgspec.Raw()


class AnnotationFile(msgspec.Struct, frozen=True):
    """An annotation file: images, categories and annotations in the order of the file.

    ``twins`` are categories that no annotation belongs to and whose name another has: they are not among the
    categories. Roboflow writes one above all others, with a name that may be that of a class.
    """

    path: Where
    images: Sequence[Image]
    categories: Sequence[Category]
    annotations: Sequence[Annotation]
    twins: Sequence[Category] = ()

    def counts(self, image_ids: Iterable[int] | None = None) -> dict[int, int]:
        """How many annotations each category has, on all images or on these."""
        chosen = None if image_ids is None else set(image_ids)
        found = dict.fromkeys((category.id for category in self.categories), 0)
        for annotation in self.annotations:
            if chosen is None or annotation.image_id in chosen:
                found[annotation.category_id] += 1
        return found


def read_annotations(path: Where) -> AnnotationFile:
    """Read and cross-check an annotation file.

    Raises:
        UsageError: the file is missing or cannot be read.
        SpecError: it is not JSON, a key is missing or of the wrong type, an id occurs twice, or an annotation
            belongs to an image or a category that is not listed.
    """
    found, faults = examine_annotations(path)
    refuse(path, faults)
    return found


def examine_annotations(path: Where) -> tuple[AnnotationFile, list[str]]:
    """An annotation file without its faulty annotations, and all the faults in them; errors as above for the rest."""
    with named(), file_of(path, MOST_BYTES) as file:
        if file.is_file() and file.stat().st_size > LARGE:
            with contextlib.suppress(
                UnusualError, SpecError, msgspec.MsgspecError, UnicodeError, RecursionError
            ):
                return _streamed(path, file), []  # what is wrong with a file, the whole of it tells
        lists = read_lists(path, file)
    faults: list[str] = []
    images = _decoded("images", lists["images"], Image, faults)
    categories = _decoded("categories", lists["categories"], Category, faults)
    known = _unique("images", images, faults), _unique("categories", categories, faults)
    refuse(path, faults)
    annotations = _decoded("annotations", lists["annotations"], Annotation, faults)
    _unique("annotations", annotations, faults)
    for index, annotation in annotations:
        faults.extend(f"annotations[{index}].{fault}" for fault in _numbers(annotation))
        if annotation.image_id not in known[0]:
            faults.append(f"annotations[{index}]: image_id {annotation.image_id} is not among the images")
        if annotation.category_id not in known[1]:
            faults.append(f"annotations[{index}]: category_id {annotation.category_id} is no category")
    kept = [found for _, found in annotations if found.image_id in known[0] and found.category_id in known[1]]
    used = {found.category_id for found in kept}
    return _file(path, images, categories, kept, used), faults


def _streamed(path: Where, file: Path) -> AnnotationFile:
    """A large file in which nothing is wrong; its annotations wait in ``TMPDIR``. ``file`` is it, or its copy.

    Raises:
        UnusualError: something is wrong, or is spelt in another way than COCO's. Or another error, which says less.
    """
    faults: list[str] = []
    images = _decoded("images", _entries(file, "images"), Image, faults)
    categories = _decoded("categories", _entries(file, "categories"), Category, faults)
    known = _unique("images", images, faults), _unique("categories", categories, faults)
    annotations, decoder = Filed(Annotation), msgspec.json.Decoder(Annotation, strict=False)
    ids, used = array("q"), set[int]()
    for raw in _entries(file, "annotations"):
        one, plain = _entry(decoder, raw)
        if any(_numbers(one)) or one.image_id not in known[0] or one.category_id not in known[1]:
            raise UnusualError(f"annotation {one.id}")
        ids.append(one.id)
        used.add(one.category_id)
        annotations.add(plain)
    if faults or len(np.unique(np.asarray(ids))) < len(ids):
        raise UnusualError(f"an id occurs twice, or {faults}")
    return _file(path, images, categories, annotations, used)


def _entries(path: Path, key: str) -> Iterator[bytes]:
    with open_regular(path) as stream:
        for name, raw in entries(stream, LISTS):
            if name == key:
                yield raw


def _file(
    path: Where,
    images: Sequence[tuple[int, Image]],
    categories: Sequence[tuple[int, Category]],
    annotations: Sequence[Annotation],
    used: Collection[int],
) -> AnnotationFile:
    listed = [category for _, category in categories]
    twins = _twins(listed, used)
    left_out = {twin.id for twin in twins}
    listed = [item for item in listed if item.id not in left_out]
    return AnnotationFile(path, [image for _, image in images], listed, annotations, twins)


def _twins(categories: Sequence[Category], used: Collection[int]) -> list[Category]:
    """Of those that are spelt alike, the ones without annotations; where none has any, all but the last."""
    keys = {category.id: spelt(category.name) or category.name for category in categories}
    annotated = {category.name: keys[category.id] for category in categories if category.id in used}
    if len(set(annotated.values())) < len(annotated):  # letters, say: "A" is one class here, "a" another
        keys = {category.id: category.name for category in categories}
    names: dict[str, list[Category]] = {}
    for category in categories:
        names.setdefault(keys[category.id], []).append(category)
    return [
        category
        for alike in names.values()
        for category in alike
        if category.id not in used and (category is not alike[-1] or any(item.id in used for item in alike))
    ]


def _decoded(
    key: str, raws: Iterable[bytes | msgspec.Raw], kind: type[T], faults: list[str]
) -> list[tuple[int, T]]:
    """The entries of a list with their places; numbers may be text, whole numbers may have a point."""
    decoder = msgspec.json.Decoder(kind, strict=False)
    found = []
    for index, raw in enumerate(raws):
        try:
            found.append((index, _entry(decoder, raw)[0]))
        except msgspec.ValidationError as error:
            faults.append(_fault(f"{key}[{index}]", error))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            faults.append(f"{key}[{index}]: cannot be read ({error})")
    return found


def _entry(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw) -> tuple[T, bytes]:
    """With the JSON that the decoder takes."""
    try:
        return decoder.decode(raw), bytes(raw)
    except msgspec.ValidationError:
        plain = _numbered(raw)
        return decoder.decode(plain), plain


def _numbered(raw: bytes | msgspec.Raw) -> bytes:
    """An entry whose ids are text with zeros before the number, as in ``"000000000139"``, without them."""
    entry = msgspec.json.decode(raw)
    if isinstance(entry, dict):
        for key in ("id", "image_id", "category_id"):
            if isinstance(value := entry.get(key), str) and value.isascii() and value.isdecimal():
                entry[key] = value.lstrip("0") or "0"
    return msgspec.json.encode(entry)


def _fault(where: str, error: msgspec.ValidationError) -> str:
    text, _, place = str(error).partition(" - at ")
    key = place.strip("`").removeprefix("$")
    way_out = " (ids are whole numbers: number them)" if key.endswith("id") else ""
    if key.endswith("file_name") or "`file_name`" in text:
        way_out = " (the photo's name below the directory of images; URLs are not read)"
    return f"{where}{key}: {text}{way_out}"


def _numbers(annotation: Annotation) -> Iterator[str]:
    box, area = annotation.bbox or (), annotation.area or 0.0
    if box and len(box) != 4:
        yield f"bbox: {len(box)} numbers instead of x, y, width, height"
    elif not all(map(math.isfinite, box)):
        yield "bbox: a number is not finite"
    elif box and max(map(abs, box)) > FARTHEST:
        yield f"bbox: a number is beyond any image ({max(box, key=abs):g} pixels)"
    elif box and min(box[2:]) < 0:
        yield f"bbox: a size is negative ({box[2]:g} x {box[3]:g}; expected x, y, width, height)"
    if not math.isfinite(area):
        yield "area: not finite"
    elif area < 0:  # the evaluator would leave it out
        yield f"area: negative ({area:g})"


def _unique(key: str, entries: Iterable[tuple[int, T]], faults: list[str]) -> set[int]:
    seen: set[int] = set()
    for index, entry in entries:
        value: int = entry.id  # type: ignore[attr-defined]
        if value in seen:
            faults.append(f"{key}[{index}]: id {value} occurs twice")
        seen.add(value)
    return seen
