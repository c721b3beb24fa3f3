"""Images with what was found in them: masks, boxes, class names and scores."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import hotcoco.mask
import numpy as np

from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.types import RLE, Detections, Image
from convertkit.errors import UsageError
from convertkit.offline.prepared import PreparedPhoto
from convertkit.storage.files import atomic_write

if TYPE_CHECKING:
    from numpy.typing import NDArray

FONT = cv2.FONT_HERSHEY_SIMPLEX
OPACITY = 0.45
GOLDEN = 0.618033988749895
"""Steps of the golden ratio around the colour circle: neighbouring classes get colours far apart."""


@dataclass(frozen=True)
class Painter:
    """Draws detections into photos.

    Attributes:
        images: the directory the photos' names start from.
        directory: where ``<stem>.jpg`` goes.
        classes: names by class index; without one the index is written.
        above: only detections with a greater score.
    """

    images: Path
    directory: Path
    classes: Sequence[str] = ()
    above: float = 0.3

    def __call__(self, photo: PreparedPhoto, found: Detections) -> Path:
        """Draws one photo and returns the image's path.

        Raises:
            UsageError: the photo cannot be read.
        """
        path = self.images / photo.name
        try:
            source = photo_bytes(path)
        except UsageError as error:
            error.hint = "say where it is with --images"
            raise
        drawn = paint(decode(path, source), found, self.classes, self.above)
        _, data = cv2.imencode(".jpg", drawn)
        place = self.directory / f"{photo.stem}.jpg"
        atomic_write(place, data.tobytes())
        return place


def paint(pixels: Image, found: Detections, classes: Sequence[str] = (), above: float = 0.3) -> Image:
    """A copy of an image with detections in it, the surest on top.

    Args:
        pixels: ``(H, W, 3) uint8``, BGR.
        found: boxes and masks in pixels of this image.
    """
    canvas = pixels.copy()
    chosen = [index for index in np.argsort(found.scores, kind="stable") if found.scores[index] > above]
    for index in chosen:
        if found.masks is not None:
            inside = _inside(found.masks[index])
            blend = (1 - OPACITY) * canvas[inside] + OPACITY * _colour(int(found.labels[index]))
            canvas[inside] = np.rint(blend).astype(np.uint8)
    for index in chosen:
        _box(canvas, found.boxes[index], int(found.labels[index]), float(found.scores[index]), classes)
    return canvas


def _box(canvas: Image, box: NDArray[np.float32], label: int, score: float, classes: Sequence[str]) -> None:
    colour = tuple(int(value) for value in _colour(label))
    left, top, right, bottom = (round(float(side)) for side in box)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, 2)
    name = classes[label] if 0 <= label < len(classes) else str(label)
    text = f"{name} {score:.2f}"
    (width, height), base = cv2.getTextSize(text, FONT, 0.45, 1)
    foot = max(top, height + base)
    cv2.rectangle(canvas, (left, foot - height - base), (left + width, foot), colour, cv2.FILLED)
    cv2.putText(canvas, text, (left, foot - base), FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)


def _inside(mask: RLE) -> NDArray[np.bool_]:
    return np.asarray(hotcoco.mask.decode(dict(mask))).astype(np.bool_)


def _colour(label: int) -> NDArray[np.float64]:
    """BGR of a class, dark enough for white letters."""
    red, green, blue = colorsys.hsv_to_rgb(label * GOLDEN % 1.0, 0.85, 0.75)
    levels: NDArray[np.float64] = np.rint(255 * np.array([blue, green, red]))
    return levels
