"""Text in a picture: of a size that fits it, inside its borders, in letters that stand out, over no other label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.types import Image

FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST, USUAL = 0.36, 0.5
"""Font scales: of the smallest letters that can be read (8 pixels), and in a photo of 640 x 480."""
CUT = ".."

Colour: TypeAlias = "NDArray[np.float64]"
"""``(3,) float64``, whole numbers 0..255, BGR."""
Place: TypeAlias = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the picture; right and bottom outside."""


def unit(height: int, width: int) -> float:
    """How much larger than a photo of 640 x 480 a picture is, by the geometric mean of its sides."""
    return float(np.sqrt(height * width / (640 * 480)))


@dataclass(frozen=True)
class Label:
    """A line of text with what it takes of a picture, in pixels; ``scale`` and ``stroke`` are OpenCV's."""

    text: str
    scale: float
    stroke: int
    width: int
    height: int
    base: int

    @classmethod
    def fitting(cls, text: str, picture: tuple[int, int]) -> Label:
        """The text in a picture of ``(height, width)``: smaller, then cut, where it would be wider than that."""
        scale = max(SMALLEST, USUAL * unit(*picture))
        label = cls._of(text, scale)
        if label.width > picture[1]:
            label = cls._of(text, max(SMALLEST, scale * picture[1] / label.width))
        while label.width > picture[1] and len(text) > 1:
            text = text[:-1]
            label = cls._of(text + CUT, label.scale)
        return label

    @classmethod
    def _of(cls, text: str, scale: float) -> Label:
        stroke = max(1, round(2 * scale))
        (width, height), base = cv2.getTextSize(text, FONT, scale, stroke)
        edge = stroke + 1
        return cls(text, scale, stroke, width + 2 * edge, height + 2 * edge + base // 2, base // 2 + edge)

    def draw(self, canvas: Image, left: int, top: int, colour: Colour) -> None:
        """Writes it on a ground of ``colour``, in black or white."""
        ground = tuple(map(int, colour))
        corner = (left + self.width - 1, top + self.height - 1)
        cv2.rectangle(canvas, (left, top), corner, ground, cv2.FILLED)
        origin = (left + self.stroke + 1, top + self.height - self.base)
        cv2.putText(canvas, self.text, origin, FONT, self.scale, letters(colour), self.stroke, cv2.LINE_AA)


def letters(colour: Colour) -> tuple[int, int, int]:
    """Black or white, whichever stands out more on a colour: 4.58 to 1 or better, as WCAG 2 counts."""
    return (0, 0, 0) if contrast(colour, 0.0) > contrast(colour, 1.0) else (255, 255, 255)


def contrast(colour: Colour, luminance: float) -> float:
    """Contrast of a colour with a grey of relative luminance 0..1 (WCAG 2.2, "contrast ratio")."""
    levels = colour / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    own = float(linear @ (0.0722, 0.7152, 0.2126))
    return (max(own, luminance) + 0.05) / (min(own, luminance) + 0.05)


def placed(label: Label, box: Place, picture: tuple[int, int], taken: Iterable[Place]) -> Place:
    """Where a label of a box goes: above it, else inside, else below, wherever it covers least of the others.

    Args:
        box: as found; it may reach beyond the picture.
        picture: height and width.
        taken: the places of the labels that are drawn already.
    """
    left, top, right, bottom = box
    columns, rows = (left, right - label.width), (top - label.height, top, bottom, bottom - label.height)
    height, width = picture
    spots = [
        (_within(x, label.width, width), _within(y, label.height, height)) for x in columns for y in rows
    ]
    places = [(x, y, x + label.width, y + label.height) for x, y in spots]
    others = list(taken)
    return min(places, key=lambda place: sum(_shared(place, other) for other in others))


def _within(start: int, length: int, room: int) -> int:
    return max(0, min(start, room - length))


def _shared(one: Place, other: Place) -> int:
    """Pixels in both."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)
