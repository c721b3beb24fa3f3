"""A COCO dataset: photos in a directory and an annotation file."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convertkit.datasets.annotations import AnnotationFile, Category, check_segmentations, read_annotations
from convertkit.detection.types import Image
from convertkit.errors import SpecError, UsageError


@dataclass(frozen=True)
class CocoImage:
    """One photo: its id in the annotation file, where it is, and its size in pixels."""

    id: int
    path: Path
    height: int
    width: int

    def __str__(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class ClassMap:
    """From the class indices of a model to the category ids of a dataset.

    ``category_ids[label]`` is ``None`` where the dataset does not know the class: such detections cannot be
    judged and are left out. ``missing_in_model`` are categories that the model cannot find: their objects
    count as missed.
    """

    category_ids: tuple[int | None, ...]
    missing_in_dataset: tuple[str, ...] = ()
    missing_in_model: tuple[str, ...] = ()


@dataclass(frozen=True)
class CocoDataset:
    """Photos with annotations, in the order of the annotation file."""

    annotations: Path
    images: tuple[CocoImage, ...]
    categories: tuple[Category, ...]

    @classmethod
    def open(
        cls, annotations: Path, images: Path, limit: int | None = None, *, masks: bool = False
    ) -> CocoDataset:
        """Open a dataset; every photo is looked for, none is read.

        Args:
            annotations: a COCO ``instances`` file.
            images: the directory to which the file names in it are relative.
            limit: only the first so many images.
            masks: the annotations' masks are going to be evaluated, so look at every one of them now.

        Raises:
            SpecError: the annotation file is wrong; the message names the place.
            UsageError: a file or the directory is missing, or the limit is below 1.
        """
        if limit is not None and limit < 1:
            raise UsageError(f"a limit of {limit} images leaves nothing to do", hint="give 1 or more")
        if not images.is_dir():
            raise UsageError(f"{images}: no such directory of images")
        found = read_annotations(annotations)
        if masks:
            check_segmentations(annotations, found)
        return cls(annotations, _locate(annotations, found, images, limit), tuple(found.categories))

    def class_map(self, classes: Sequence[str] = ()) -> ClassMap:
        """Match the classes of a model to the categories, by name; without names by order.

        Raises:
            SpecError: no name matches, or a name that both sides have occurs twice on one of them.
        """
        if not classes:
            return ClassMap(tuple(category.id for category in self.categories))
        names = [category.name for category in self.categories]
        common = set(classes) & set(names)
        if not common:
            raise SpecError(
                f"{self.annotations}: none of its {len(names)} categories is a class of the model",
                hint=f"the model has {_few(classes)}; the dataset has {_few(names)}",
            )
        for side, owner in ((classes, "the model"), (names, str(self.annotations))):
            twice = sorted(name for name in common if list(side).count(name) > 1)
            if twice:
                raise SpecError(f"{owner}: class {twice[0]!r} occurs twice")
        ids = {category.name: category.id for category in self.categories}
        return ClassMap(
            tuple(ids.get(name) for name in classes),
            missing_in_dataset=tuple(name for name in classes if name not in common),
            missing_in_model=tuple(name for name in names if name not in common),
        )

    @staticmethod
    def read(image: CocoImage) -> Image:
        """Read a photo: ``(H, W, 3) uint8``, BGR, turned as its EXIF orientation says (as mmcv does).

        Raises:
            UsageError: the file cannot be read or is no picture.
            SpecError: the size differs from that in the annotation file.
        """
        try:
            data = np.fromfile(image.path, np.uint8)
        except OSError as error:
            raise UsageError(f"{image.path}: cannot be read ({error.strerror or error})") from error
        pixels = decode(data)
        if pixels is None:
            raise UsageError(f"{image.path}: not a picture that OpenCV can read")
        height, width = pixels.shape[:2]
        if (height, width) != (image.height, image.width):
            raise SpecError(
                f"{image.path}: the picture is {width} x {height}, the annotations say {image.width} x {image.height}",
                hint=_turned(data, image),
            )
        return pixels


def _locate(path: Path, found: AnnotationFile, directory: Path, limit: int | None) -> tuple[CocoImage, ...]:
    images = []
    for index, image in enumerate(found.images[:limit]):
        where = f"{path}: images[{index}]"
        name = Path(os.path.normpath(image.file_name or ".."))
        if name.is_absolute() or name.parts[:1] in ((), ("..",)) or "\0" in image.file_name:
            raise SpecError(
                f"{where}: file_name {image.file_name!r} does not stay in the directory of images"
            )
        place = directory / name
        if not place.is_file():
            raise UsageError(f"{place}: no such image ({where} names it)")
        images.append(CocoImage(image.id, place, image.height, image.width))
    return tuple(images)


def decode(data: NDArray[np.uint8], flags: int = cv2.IMREAD_COLOR) -> Image | None:
    """A picture: ``(H, W, 3) uint8``, BGR; None for what OpenCV cannot read, or refuses for the size it claims."""
    if data.size == 0:
        return None
    try:
        pixels = cv2.imdecode(data, flags)
    except cv2.error:
        return None
    return None if pixels is None else pixels.astype(np.uint8, copy=False)


def _turned(data: NDArray[np.uint8], image: CocoImage) -> str | None:
    """A hint where the annotations were made without looking at the EXIF orientation."""
    stored = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if stored is None or stored.shape[:2] != (image.height, image.width):
        return None
    return "its EXIF orientation turns it; remove the tag or annotate the turned picture"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
