"""COCO annotation files as people have them: taken where there is one meaning, refused with the place where not.

What nobody needs is not looked at. What the evaluator would pass over in silence (an annotation of an image that is
not listed) is a fault, and all faults of a file are found at once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from convertkit.datasets.faults import quoted, refuse
from convertkit.errors import SpecError, UsageError
from convertkit.reading import read_file

Id = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Pixels = Annotated[int, msgspec.Meta(gt=0, le=1 << 16)]

Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]

T = TypeVar("T")

MOST_BYTES = 4 << 30
"""COCO's own largest file has half a GB."""

LISTS = ("images", "categories", "annotations")


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
    """An annotation file: images, categories and annotations in the order of the file."""

    path: Path
    images: Sequence[Image]
    categories: Sequence[Category]
    annotations: Sequence[Annotation]

    def counts(self, image_ids: Iterable[int] | None = None) -> dict[int, int]:
        """How many annotations each category has, on all images or on these."""
        chosen = None if image_ids is None else set(image_ids)
        found = dict.fromkeys((category.id for category in self.categories), 0)
        for annotation in self.annotations:
            if chosen is None or annotation.image_id in chosen:
                found[annotation.category_id] += 1
        return found


def read_annotations(path: Path) -> AnnotationFile:
    """Read and cross-check an annotation file.

    Raises:
        UsageError: the file is missing or cannot be read.
        SpecError: it is not JSON, a key is missing or of the wrong type, an id occurs twice, or an annotation
            belongs to an image or a category that is not listed.
    """
    found, faults = examine_annotations(path)
    refuse(path, faults)
    return found


def examine_annotations(path: Path) -> tuple[AnnotationFile, list[str]]:
    """An annotation file without its faulty annotations, and all the faults in them; errors as above for the rest."""
    lists = _lists(path, _text(path))
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
    return AnnotationFile(path, _bare(images), _bare(categories), kept), faults


def explain(error: msgspec.ValidationError) -> str:
    """msgspec's complaint with the place first: ``images[3].id: Expected `int`, got `str```."""
    text, _, place = str(error).partition(" - at ")
    key = place.strip("`").removeprefix("$").removeprefix(".")
    return f"{key}: {text}" if key else text


def _text(path: Path) -> str:
    """The file's text: UTF-8, or what a byte order mark tells."""
    try:
        data = read_file(path, most=MOST_BYTES)
    except UsageError as error:
        error.message = error.message.replace("no such file", "no such annotation file")
        raise
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise SpecError(f"{path}: not {name} (byte {error.start})", hint="save it as UTF-8") from error


def _lists(path: Path, text: str) -> dict[str, list[msgspec.Raw]]:
    """The three lists of the file, their entries undecoded."""
    try:
        try:
            top = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            top = msgspec.json.decode(_with_constants(text), type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        results = "are these results?" if text.lstrip()[:1] == "[" else None
        raise SpecError(f"{path}: {explain(error)}", hint=results) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SpecError(f"{path}: not a JSON file ({error})") from error
    for key in LISTS:
        if key not in top:
            keys = ", ".join(map(quoted, sorted(top)[:5])) or "none"
            raise SpecError(
                f"{path}: Object missing required field `{key}`",
                hint=f"expected a COCO instances file with {', '.join(LISTS)}; its keys are {keys}",
            )
    return {key: _list(path, key, top[key]) for key in LISTS}


def _list(path: Path, key: str, raw: msgspec.Raw) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise SpecError(f"{path}: {key}: {explain(error)}") from error


def _with_constants(text: str) -> bytes:
    """As Python's own reader has it, which takes NaN and infinities: as text here, so that no number takes them."""
    return msgspec.json.encode(json.loads(text, parse_constant=str))


def _decoded(
    key: str, entries: Sequence[msgspec.Raw], kind: type[T], faults: list[str]
) -> list[tuple[int, T]]:
    """The entries of a list with their places; numbers may be text, whole numbers may have a point."""
    decoder = msgspec.json.Decoder(kind, strict=False)
    found = []
    for index, raw in enumerate(entries):
        try:
            found.append((index, _entry(decoder, raw)))
        except msgspec.ValidationError as error:
            faults.append(_fault(f"{key}[{index}]", error))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            faults.append(f"{key}[{index}]: cannot be read ({error})")
    return found


def _entry(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return decoder.decode(_numbered(raw))


def _numbered(raw: msgspec.Raw) -> bytes:
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
    way_out = " (ids are whole numbers: number them)" if key.endswith("id") and "got" in text else ""
    return f"{where}{key}: {text}{way_out}"


def _numbers(annotation: Annotation) -> Iterator[str]:
    box, area = annotation.bbox or (), annotation.area or 0.0
    if box and len(box) != 4:
        yield f"bbox: {len(box)} numbers instead of x, y, width, height"
    elif not all(map(math.isfinite, box)):
        yield "bbox: a number is not finite"
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


def _bare(entries: Iterable[tuple[int, T]]) -> list[T]:
    return [entry for _, entry in entries]
