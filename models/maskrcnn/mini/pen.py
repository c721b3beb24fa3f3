"""A small drawing board for objects: unit coordinates in, a BGR image and its coverage out.

Coordinates run from -1 (left, top) to 1 (right, bottom); colours are B, G, R from 0 to 255.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Colour = tuple[float, float, float]
Points = npt.NDArray[np.float64]

#: cv2 takes fixed point coordinates with this many fractional bits.
_SHIFT = 6


def points(*pairs: tuple[float, float]) -> Points:
    """Make an (N, 2) float64 array, x y in unit coordinates."""
    return np.array(pairs, dtype=np.float64)


def oval(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360) -> Points:
    """Sample an ellipse arc, angles in degrees clockwise from +x: (49, 2) float64 in unit coordinates."""
    angles = np.radians(np.linspace(start, end, 49))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def disc(x: float, y: float, radius: float) -> Points:
    """Sample a circle: (49, 2) float64 in unit coordinates."""
    return oval(x, y, radius, radius)


def turned(outline: Points, degrees: float, x: float = 0.0, y: float = 0.0) -> Points:
    """Turn an outline clockwise about the origin, then move it by (x, y)."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return outline @ np.array([[cosine, sine], [-sine, cosine]]) + np.array([x, y])


def vary(rng: np.random.Generator, colour: Colour, amount: float = 22.0) -> Colour:
    """Move a colour by up to ``amount`` per channel."""
    blue, green, red = np.clip(np.array(colour) + rng.uniform(-amount, amount, 3), 0, 255)
    return float(blue), float(green), float(red)


def vivid(rng: np.random.Generator) -> Colour:
    """Draw a saturated colour of any hue."""
    hue = rng.uniform(0, 6)
    ramp = np.clip([abs(hue - 3) - 1, 2 - abs(hue - 2), 2 - abs(hue - 4)], 0, 1)
    blue, green, red = rng.uniform(150, 255) * (1 - rng.uniform(0.6, 1) * (1 - ramp[::-1]))
    return float(blue), float(green), float(red)


def clouds(rng: np.random.Generator, height: int, width: int, cells: Sequence[int]) -> Floats:
    """Make smooth noise, one octave per cell count: (height, width) float32, mean near 0, about -1..1."""
    total = np.zeros((height, width), np.float32)
    for order, count in enumerate(cells):
        grid = rng.uniform(-1, 1, (count, count)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / (1 + order)
    return total


class Pen:
    """Draws one object on a square sprite; ``body`` strokes extend its coverage, the others only colour it."""

    def __init__(self, side: int, ground: Colour) -> None:
        self.side = side
        self.image: Bytes = np.full((side, side, 3), ground, np.uint8)
        self.alpha: Bytes = np.zeros((side, side), np.uint8)

    def fill(self, outline: Points, colour: Colour, body: bool = False) -> None:
        """Fill a polygon."""
        fixed = [self._fixed(outline)]
        cv2.fillPoly(self.image, fixed, colour, cv2.LINE_AA, _SHIFT)
        if body:
            cv2.fillPoly(self.alpha, fixed, (255,), cv2.LINE_AA, _SHIFT)

    def stroke(self, outline: Points, colour: Colour, width: float, body: bool = False) -> None:
        """Draw an open line; ``width`` in unit coordinates, at least one pixel of the sprite."""
        fixed, pixels = [self._fixed(outline)], max(1, round(width * self.side / 2))
        cv2.polylines(self.image, fixed, False, colour, pixels, cv2.LINE_AA, _SHIFT)
        if body:
            cv2.polylines(self.alpha, fixed, False, (255,), pixels, cv2.LINE_AA, _SHIFT)

    def hole(self, outline: Points) -> None:
        """Remove a polygon from the coverage."""
        cv2.fillPoly(self.alpha, [self._fixed(outline)], (0,), cv2.LINE_AA, _SHIFT)

    def grain(self, rng: np.random.Generator, strength: float, cells: Sequence[int]) -> None:
        """Multiply the image by smooth noise of relative amplitude ``strength``."""
        noise = 1 + strength * clouds(rng, self.side, self.side, cells)
        self._multiply(noise)

    def light(self, rng: np.random.Generator, strength: float) -> None:
        """Brighten one side and darken the other, as under a lamp in a random direction."""
        angle = rng.uniform(0, 2 * np.pi)
        axis = np.linspace(-strength, strength, self.side, dtype=np.float32)
        self._multiply(
            1 + np.float32(np.cos(angle)) * axis[None, :] + np.float32(np.sin(angle)) * axis[:, None]
        )

    def ball(self, x: float, y: float, depth: float) -> None:
        """Shade as a ball whose brightest spot is at (x, y) and whose rim is darker by ``depth``."""
        axis = np.linspace(-1, 1, self.side, dtype=np.float32)
        distance = np.square(axis[None, :] - np.float32(x)) + np.square(axis[:, None] - np.float32(y))
        self._multiply(np.float32(1 + depth / 3) - np.float32(depth) * np.minimum(distance, np.float32(2)))

    def _multiply(self, factor: Floats) -> None:
        """Scale all channels by a (side, side) float32 factor."""
        scaled = self.image * factor[:, :, None]
        self.image = np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)

    def _fixed(self, outline: Points) -> npt.NDArray[np.int32]:
        """Convert unit coordinates to cv2's fixed point pixels: (N, 1, 2) int32."""
        pixels = (outline + 1) * (self.side / 2) - 0.5
        return np.round(pixels * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)
