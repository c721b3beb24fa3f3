"""Placing drawn objects into an image: position, turn, slant, shadow, and who owns which pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .pen import Bytes, Floats, Pen, oval, turned

#: Sprites are drawn this much larger than they appear, so that turning them does not leave jagged edges.
OVERSAMPLING = 1.6

Owners = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Spot:
    """Where an object goes: centre x y and diameter in pixels of the image, clockwise turn in degrees."""

    x: float
    y: float
    diameter: float
    degrees: float


def crowded(spot: Spot, others: list[Spot]) -> bool:
    """Say whether two objects would hide too much of each other."""
    return any(
        np.hypot(spot.x - other.x, spot.y - other.y) < 0.29 * (spot.diameter + other.diameter)
        for other in others
    )


def paste(canvas: Bytes, owners: Owners, key: int, pen: Pen, spot: Spot, rng: np.random.Generator) -> float:
    """Blend a sprite into ``canvas`` and write ``key`` where it covers more than half of a pixel.

    Returns the sprite's full area in pixels, whatever part of it lies outside the image.
    """
    matrix = _placement(pen.side, spot, rng)
    left, top, right, bottom = _bounds(matrix, pen.side, canvas.shape)
    if right - left < 2 or bottom - top < 2:
        return np.inf
    matrix[:, 2] -= (left, top)
    box = (right - left, bottom - top)
    image = cv2.warpAffine(_spread(pen), matrix, box, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(pen.alpha, matrix, box, flags=cv2.INTER_LINEAR)
    view, owned = canvas[top:bottom, left:right], owners[top:bottom, left:right]
    if rng.random() < 0.5:
        _cast_shadow(view, cover, rng)
    weight = cover.astype(np.float32)[:, :, None] / np.float32(255)
    view[:] = (view + (image.astype(np.float32) - view) * weight + np.float32(0.5)).astype(np.uint8)
    owned[cover > 127] = key
    area = float(np.count_nonzero(pen.alpha > 127))
    return area * abs(float(np.linalg.det(matrix[:, :2])))


def cross_out(canvas: Bytes, owners: Owners, rng: np.random.Generator) -> None:
    """Put a pole, a branch or a leaf in front of everything: it belongs to no class."""
    height, width = canvas.shape[:2]
    stick = rng.random() < 0.6
    size, thickness = (
        (rng.uniform(60, 300), rng.uniform(3, 9)) if stick else (rng.uniform(12, 40), rng.uniform(6, 16))
    )
    place = rng.uniform(0, width), rng.uniform(0, height)
    outline = turned(oval(0, 0, size, thickness), rng.uniform(0, 180), *place)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32).reshape(-1, 1, 2)], (255,), cv2.LINE_8, 4)
    colour = rng.uniform((20, 40, 20), (110, 150, 120))
    canvas[mask > 0] = (colour * rng.uniform(0.8, 1.2, (int(np.count_nonzero(mask)), 1))).astype(np.uint8)
    owners[mask > 0] = 0


def _placement(side: int, spot: Spot, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Map sprite pixels to image pixels: (2, 3) float64, with a slight squeeze and slant."""
    angle = np.radians(spot.degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[1.0, rng.uniform(-0.15, 0.15)], [0.0, rng.uniform(0.78, 1.0)]])
    linear = turn @ slant * (spot.diameter / side)
    offset = np.array([spot.x, spot.y]) - linear @ np.full(2, (side - 1) / 2)
    return np.concatenate([linear, offset[:, None]], axis=1)


def _bounds(matrix: npt.NDArray[np.float64], side: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Bound the turned sprite and a margin for its shadow, inside the image: left, top, right, bottom."""
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) @ matrix[:, :2].T + matrix[:, 2]
    low, high = np.floor(corners.min(0)).astype(int) - 4, np.ceil(corners.max(0)).astype(int) + 5
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    return left, top, min(shape[1], int(high[0])), min(shape[0], int(high[1]))


def _spread(pen: Pen) -> Bytes:
    """Fill what the sprite does not cover with its mean colour, so that edges do not fringe."""
    image = pen.image.copy()
    mean = cv2.mean(image, (pen.alpha > 127).astype(np.uint8))[:3]
    np.copyto(image, np.array(mean, np.uint8), where=(pen.alpha == 0)[:, :, None])
    return image


def _cast_shadow(view: Bytes, cover: Bytes, rng: np.random.Generator) -> None:
    """Darken the image below a sprite's blurred coverage, moved by up to a tenth of its size."""
    reach = max(1.0, 0.06 * max(cover.shape))
    move = np.array([[1, 0, rng.uniform(-reach, reach)], [0, 1, rng.uniform(0.3, 1.3) * reach]])
    size = int(reach) | 1
    soft = cv2.warpAffine(cv2.blur(cover, (size, size)), move, cover.shape[::-1])
    shade: Floats = 1 - soft.astype(np.float32) * np.float32(rng.uniform(0.25, 0.6) / 255)
    view[:] = (view * shade[:, :, None]).astype(np.uint8)
