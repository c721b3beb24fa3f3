"""Detections in a photo, several photos side by side, and the files of pictures."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import hotcoco.mask
import numpy as np

from convertkit.detection.drawing.labels import Colour, Label, Place, placed, unit
from convertkit.detection.types import RLE, Detections, Image, name_of
from convertkit.errors import UsageError
from convertkit.storage.files import atomic_write

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPACITY = 0.45
GOLDEN = 0.618033988749895
"""Steps of the golden ratio around the colour circle: neighbouring classes get colours far apart."""
SUFFIXES = (".jpg", ".jpeg", ".png")
"""Of the pictures that are written."""
TITLE = np.full(3, 32.0)
"""The ground of titles and gaps."""
GAP = 4
"""Pixels between two pictures."""
REACH = 1 << 15
"""Pixels beyond a picture's corner at which a box is cut: OpenCV draws with 16 bits before the point."""


def paint(pixels: Image, found: Detections, classes: Sequence[str] = (), above: float = 0.3) -> Image:
    """A copy of an image with detections in it, the surest on top.

    Args:
        pixels: ``(H, W, 3) uint8``, BGR.
        found: boxes and masks in pixels of this image.
        classes: names by class index; without one ``class 17`` is written.
        above: only detections with a greater score.
    """
    canvas = pixels.copy()
    thickness = max(1, round(2.4 * unit(*canvas.shape[:2])))
    chosen = found.surer(above)[::-1]
    for index in chosen if found.masks is not None else ():
        assert found.masks is not None
        _mask(canvas, found.masks[index], colour_of(int(found.labels[index])), thickness)
    boxes = [_whole(box) for box in found.boxes]
    for index in chosen:
        _box(canvas, boxes[index], colour_of(int(found.labels[index])), thickness)
    _labels(canvas, found, boxes, chosen[::-1], classes)
    return canvas


def colour_of(label: int) -> Colour:
    """Of a class; the same in every picture."""
    red, green, blue = colorsys.hsv_to_rgb(label * GOLDEN % 1.0, 0.85, 0.8)
    levels: Colour = np.rint(255 * np.array([blue, green, red]))
    return levels


def side_by_side(pictures: Mapping[str, Image]) -> Image:
    """Pictures of one size, each under its title; a single one stays as it is."""
    if len(pictures) == 1:
        return next(iter(pictures.values()))
    panels = [_titled(title, picture) for title, picture in pictures.items()]
    height = max(map(len, panels))  # a title that had to shrink is lower than its neighbours
    gap = _ground(height, GAP)
    level = [np.vstack([_ground(height - len(panel), panel.shape[1]), panel]) for panel in panels]
    return np.hstack([piece for panel in level for piece in (gap, panel)][1:])


def write_picture(path: Path, picture: Image) -> None:
    """Writes PNG or JPEG, by the name's suffix.

    Raises:
        UsageError: another suffix, or a picture larger than the form can be. StoreError: it cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: pictures are written as {', '.join(SUFFIXES)}")
    try:
        done, data = cv2.imencode(path.suffix.lower(), picture)
    except cv2.error:
        done = False
    if not done:
        height, width = picture.shape[:2]
        raise UsageError(f"{path}: a picture of {width} x {height} cannot be written", hint="as .png it may")
    atomic_write(path, data.tobytes())


def _titled(title: str, picture: Image) -> Image:
    label = Label.fitting(title, picture.shape[:2])
    strip = _ground(label.height, picture.shape[1])
    label.draw(strip, 0, 0, TITLE)
    return np.vstack([strip, picture])


def _ground(height: int, width: int) -> Image:
    return np.full((height, width, 3), TITLE, np.uint8)


def _mask(canvas: Image, mask: RLE, colour: Colour, thickness: int) -> None:
    inside = _inside(mask)
    canvas[inside] = np.rint((1 - OPACITY) * canvas[inside] + OPACITY * colour).astype(np.uint8)
    edges, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, edges, -1, tuple(map(int, colour)), max(1, thickness // 2))


def _box(canvas: Image, box: Place, colour: Colour, thickness: int) -> None:
    """A dark line under the coloured one, so that it is seen on a ground of its own colour too, where there is room."""
    under = thickness + 2 if thickness > 1 else thickness
    for line, width in ((np.zeros(3), under), (colour, thickness)):
        cv2.rectangle(canvas, box[:2], box[2:], tuple(map(int, line)), width)


def _labels(
    canvas: Image, found: Detections, boxes: Sequence[Place], surest: Sequence[int], classes: Sequence[str]
) -> None:
    """The surest choose their place first, and are written last."""
    picture, places, drawn = canvas.shape[:2], list[Place](), list[tuple[Label, Place, Colour]]()
    for index in surest:
        number = int(found.labels[index])
        label = Label.fitting(f"{name_of(number, classes)} {found.scores[index]:.2f}", picture)
        places.append(placed(label, boxes[index], picture, places))
        drawn.append((label, places[-1], colour_of(number)))
    for label, (left, top, *_), colour in reversed(drawn):
        label.draw(canvas, left, top, colour)


def _whole(box: NDArray[np.float32]) -> Place:
    left, top, right, bottom = (int(side) for side in np.rint(np.clip(box, -REACH, REACH)))
    return left, top, right, bottom


def _inside(mask: RLE) -> NDArray[np.bool_]:
    return np.asarray(hotcoco.mask.decode(dict(mask))).astype(np.bool_)
