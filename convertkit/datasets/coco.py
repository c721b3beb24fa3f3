"""A COCO dataset: photos in a directory and an annotation file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from convertkit.datasets import annotations as files
from convertkit.datasets.annotations import AnnotationFile, examine_annotations
from convertkit.datasets.classes import ClassMap, match_classes
from convertkit.datasets.doubts import contradictions
from convertkit.datasets.faults import quoted, refuse
from convertkit.datasets.places import fault_of, find, nearby, plain_name
from convertkit.datasets.shapes import faulty_shapes
from convertkit.datasets.subset import Subset, listed
from convertkit.detection.types import Image
from convertkit.errors import ConvertkitError, SpecError, UsageError
from convertkit.storage.files import sha256_bytes
from convertkit.storage.reading import read_file
from convertkit.storage.urls import Where

READERS = 4
"""Threads that look at photos; decoding lets the others work."""

PHOTO_BYTES = 1 << 30
"""No photo has as many: OpenCV reads at most 2 ** 30 pixels."""


@dataclass(frozen=True)
class CocoImage:
    """One photo: its id in the annotation file, where it is, its size in pixels, and the sha256 of its file."""

    id: int
    path: Where
    height: int
    width: int
    sha256: str = ""

    def __str__(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class LeftOut:
    """Photos that could not be read and were left out, how many annotations they have, and why the first was."""

    photos: int = 0
    annotations: int = 0
    first: str = ""

    def __str__(self) -> str:
        photos = f"{self.photos} photo{'s' * (self.photos != 1)}"
        return f"{photos} with {self.annotations} annotation{'s' * (self.annotations != 1)} left out"


@dataclass(frozen=True)
class CocoDataset:
    """Photos with annotations, in the order of the annotation file.

    Attributes:
        found: the annotation file.
        images: the photos to work on.
        bad: why a photo was left out, by its id, where the caller wants to go on without.
    """

    found: AnnotationFile
    images: tuple[CocoImage, ...]
    bad: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        annotations: Where,
        images: Where,
        limit: int | None = None,
        *,
        subset: Subset | None = None,
        part: slice = slice(None),
        tasks: Sequence[str] = (),
        skip_bad: bool = False,
        on_progress: Callable[[int, int], object] = lambda done, total: None,
    ) -> CocoDataset:
        """Open a dataset and examine all of it: the file, and that every photo can be read and has the size it says.

        Args:
            annotations: a COCO ``instances`` file.
            images: the directory to which the file names in it are relative.
            limit: only the first so many images.
            subset: a choice of them instead.
            part: which of these.
            tasks: what is going to be evaluated, ``bbox`` or ``segm`` or both.
            skip_bad: leave out photos that are missing or cannot be read.
            on_progress: told the number of photos looked at, and of all.

        Raises:
            SpecError: the annotation file or a photo is wrong; the message names the place, the details all places.
            UsageError: the annotation file or the directory is missing, or nothing is left to do.
        """
        if limit is not None and limit < 1:
            raise UsageError(f"a limit of {limit} images leaves nothing to do", hint="give 1 or more")
        if not images.is_dir():
            raise UsageError(f"{images}: no such directory of images")
        found, faults = examine_annotations(annotations)
        faults += faulty_shapes(found, tasks)
        faults += [] if faults else contradictions(found, tasks)
        faults += _faulty_names(found, images)
        refuse(annotations, faults)
        photos, bad = _examine(listed(found, limit, subset)[part], images, on_progress)
        if not skip_bad:
            refuse(annotations, list(bad.values()))
        if not photos:
            none = "there are fewer than shards" if found.images else "no image is listed"
            reason = next(iter(bad.values()), none)
            raise UsageError(f"{annotations}: there is no photo to work on ({reason})")
        return cls(found, photos, bad)

    @cached_property
    def left_out(self) -> LeftOut:
        """What became of those that are missing or cannot be read."""
        lost = sum(annotation.image_id in self.bad for annotation in self.found.annotations)
        return LeftOut(len(self.bad), lost, next(iter(self.bad.values()), ""))

    def class_map(self, classes: Sequence[str] = ()) -> ClassMap:
        """As :func:`match_classes`."""
        return match_classes(self.found.path, self.found.categories, classes)

    def refuse_nothing_to_find(self) -> None:
        """Raises a UsageError where the photos have not one annotation: every figure would be that of nothing."""
        if not any(self.found.counts(image.id for image in self.images).values()):
            raise UsageError(
                f"{self.found.path}: no annotation on {len(self.images)} photos, so there is nothing to score"
            )

    @staticmethod
    def read(image: CocoImage) -> Image:
        """Read a photo: ``(H, W, 3) uint8``, BGR, turned as its EXIF orientation says (as mmcv does).

        Raises:
            UsageError: the file cannot be read or is no image.
            SpecError: the size differs from that in the annotation file, or the file has changed since it was examined.
        """
        data = photo_bytes(image.path)
        pixels = decode(image.path, data, (image.height, image.width))
        if image.sha256 and sha256_bytes(data) != image.sha256:
            raise SpecError("the photo has changed since it was examined").about(image.path)
        return pixels


def _faulty_names(found: AnnotationFile, directory: Where) -> Iterator[str]:
    seen: dict[str, int] = {}
    for index, image in enumerate(found.images):
        fault = fault_of(image.file_name, directory)
        if fault:
            yield f"images[{index}]: {fault}"
        elif (first := seen.setdefault(plain_name(image.file_name), index)) != index:
            yield f"images[{index}]: file_name {quoted(image.file_name)} is that of images[{first}] as well"


def _examine(
    images: Sequence[tuple[int, files.Image]], directory: Where, on_progress: Callable[[int, int], object]
) -> tuple[tuple[CocoImage, ...], dict[int, str]]:
    """The photos that can be read, and by image id what is wrong with the others."""

    def look(pair: tuple[int, files.Image]) -> CocoImage | str:
        index, image = pair
        path = find(image.file_name, directory)
        if path is None:
            windows = ", as Windows writes it" if "\\" in image.file_name else ""
            there = nearby(image.file_name, directory)
            return f"images[{index}]: no such image {quoted(image.file_name)} in {directory}{windows}{there}"
        try:
            data = photo_bytes(path)
            decode(path, data, (image.height, image.width))
        except ConvertkitError as error:
            return str(error)
        return CocoImage(image.id, path, image.height, image.width, sha256_bytes(data))

    good: list[CocoImage] = []
    bad: dict[int, str] = {}
    with ThreadPoolExecutor(READERS, thread_name_prefix="convertkit-examine") as pool:
        for done, ((_, image), seen) in enumerate(zip(images, pool.map(look, images), strict=True), 1):
            if isinstance(seen, str):
                bad[image.id] = seen
            else:
                good.append(seen)
            on_progress(done, len(images))
    return tuple(good), bad


def photo_bytes(path: Where) -> bytes:
    """A photo's file.

    Raises:
        UsageError: it cannot be read, is no regular file, or is larger than any photo.
    """
    return read_file(path, most=PHOTO_BYTES)


def decode(name: object, data: bytes, size: tuple[int, int] | None = None) -> Image:
    """What is in a photo's file: ``(H, W, 3) uint8``, BGR.

    Args:
        name: of the photo, for errors.
        size: height and width, as the annotations have them.

    Raises:
        UsageError: OpenCV cannot read it. SpecError: it has another size.
    """
    pixels = _pixels(data)
    if pixels is None:
        raise UsageError("not an image that OpenCV can read").about(name)
    height, width = pixels.shape[:2]
    if size is not None and (height, width) != size:
        raise SpecError(
            f"the image is {width} x {height}, the annotations say {size[1]} x {size[0]}",
            hint=_turned(data, size),
        ).about(name)
    return pixels


def _pixels(data: bytes, flags: int = cv2.IMREAD_COLOR) -> Image | None:
    """An image: ``(H, W, 3) uint8``, BGR; None for what OpenCV cannot read, or refuses for the size it claims."""
    if not data:
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if pixels is None else pixels.astype(np.uint8, copy=False)


def _turned(data: bytes, size: tuple[int, int]) -> str | None:
    """A hint where the annotations were made without looking at the EXIF orientation."""
    stored = _pixels(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if stored is None or stored.shape[:2] != size:
        return None
    return "its EXIF orientation turns it; remove the tag or annotate the turned image"
