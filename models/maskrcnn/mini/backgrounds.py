"""Backgrounds and clutter: what a detector must learn to ignore."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .pen import Bytes, Colour, Floats, clouds, oval, turned

_SHIFT = 4


def background(rng: np.random.Generator, height: int, width: int) -> Bytes:
    """Paint one of five backdrops with uneven light and clutter: (height, width, 3) uint8, B G R."""
    painters = (_scenery, _bricks, _planks, _cloth, _haze)
    image = painters[int(rng.integers(len(painters)))](rng, height, width)
    uneven = 1 + rng.uniform(0.08, 0.25) * clouds(rng, height, width, (3, 7, 19, 53))
    canvas = np.clip(image * uneven[:, :, None], 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        _clutter(canvas, rng)
    return canvas


def _colour(rng: np.random.Generator, low: float = 40, high: float = 220) -> Floats:
    """Draw a muted colour: (3,) float32."""
    grey = rng.uniform(low, high)
    return np.clip(grey + rng.uniform(-45, 45, 3), 0, 255).astype(np.float32)


def _ramp(first: Floats, second: Floats, weight: Floats) -> Floats:
    """Mix two colours by a (H, W) or (H, 1) weight: (H, W, 3) float32."""
    return first + (second - first) * weight[:, :, None]


def _scenery(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Paint sky over ground with an uneven skyline."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    sky = _ramp(_colour(rng, 120, 235), _colour(rng, 150, 250), rows)
    haze = np.clip(clouds(rng, height, width, (4, 9)), 0, 1)
    sky = _faded(sky, haze * np.float32(rng.uniform(0, 0.6)))
    ground = _ramp(_colour(rng, 50, 150), _colour(rng, 40, 190), rows)
    ground = ground * (1 + np.float32(0.2) * clouds(rng, height, width, (31, 83))[:, :, None])
    skyline = rng.uniform(0.35, 0.85) + 0.06 * clouds(rng, 8, width, (6, 23))[4]
    return np.where((rows > skyline[None, :])[:, :, None], ground, sky)


def _faded(image: Floats, weight: Floats) -> Floats:
    """Fade a (H, 1 or W, 3) image to white by a (H, W) weight."""
    return image + (255 - image) * weight[:, :, None]


def _bricks(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Paint a wall of staggered bricks or square tiles."""
    tall = int(rng.integers(14, 44))
    wide = int(tall * rng.uniform(1, 2.6))
    staggered = rng.random() < 0.7
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    row = y // tall
    moved = x + (row % 2) * (wide // 2 if staggered else 0)
    shade = rng.uniform(0.75, 1.2, (height // tall + 1, width // wide + 3)).astype(np.float32)[
        row, moved // wide
    ]
    joint = (y % tall < 2) | (moved % wide < 2)
    wall = _colour(rng) * shade[:, :, None]
    return np.where(joint[:, :, None], _colour(rng), wall).astype(np.float32)


def _planks(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Paint wooden boards with grain along one direction."""
    long, across = (width, height) if rng.random() < 0.5 else (height, width)
    grid = rng.uniform(-1, 1, (max(8, across // 3), 6)).astype(np.float32)
    grain = cv2.resize(grid, (long, across), interpolation=cv2.INTER_LINEAR)
    board = int(rng.integers(24, 70))
    tone = rng.uniform(0.8, 1.15, across // board + 1).astype(np.float32)[np.arange(across) // board]
    tone = np.where(np.arange(across) % board < 2, np.float32(0.45), tone)
    wood = (1 + np.float32(0.14) * grain) * tone[:, None]
    wood = wood if long == width and across == height else np.ascontiguousarray(wood.T)
    base = _colour(rng, 60, 190) * np.array([0.75, 0.95, 1.15], np.float32)
    return np.asarray(wood[:height, :width, None] * base, dtype=np.float32)


def _cloth(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Paint a chequered or striped cloth, turned by any angle."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(14, 60)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(period)
    u = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    v = y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))
    weight = (u % 1 < 0.5).astype(np.float32)
    if rng.random() < 0.6:
        weight = (weight + (v % 1 < 0.5)) / 2
    return _ramp(_colour(rng), _colour(rng), weight.astype(np.float32))


def _haze(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Paint an out-of-focus backdrop: a colour field with soft round lights."""
    field = _ramp(_colour(rng), _colour(rng), np.clip(0.5 + 0.5 * clouds(rng, height, width, (3, 5)), 0, 1))
    lights = np.zeros((height // 4, width // 4, 3), np.float32)
    for _ in range(int(rng.integers(3, 16))):
        centre = int(rng.integers(0, width // 4)), int(rng.integers(0, height // 4))
        cv2.circle(
            lights, centre, int(rng.integers(2, 16)), tuple(float(v) for v in rng.uniform(10, 90, 3)), -1
        )
    soft = cv2.GaussianBlur(lights, (0, 0), rng.uniform(0.8, 3))
    return field + cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)


def _clutter(canvas: Bytes, rng: np.random.Generator) -> None:
    """Draw one shape that belongs to no class: box, wedge, blob, bar or loop of wire."""
    height, width = canvas.shape[:2]
    size, kind = float(np.exp(rng.uniform(np.log(8), np.log(90)))), int(rng.integers(5))
    colour: Colour = tuple(float(v) for v in _colour(rng, 20, 235))  # type: ignore[assignment]
    outline = _outline(rng, kind) * size
    placed = turned(outline, rng.uniform(0, 360), rng.uniform(0, width), rng.uniform(0, height))
    fixed = [np.round(placed * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)]
    if kind == 4:
        cv2.polylines(canvas, fixed, False, colour, int(rng.integers(1, 5)), cv2.LINE_AA, _SHIFT)
        return
    cv2.fillPoly(canvas, fixed, colour, cv2.LINE_AA, _SHIFT)
    if rng.random() < 0.5:
        edge: Colour = (0.6 * colour[0], 0.6 * colour[1], 0.6 * colour[2])
        cv2.polylines(canvas, fixed, True, edge, int(rng.integers(1, 3)), cv2.LINE_AA, _SHIFT)


def _outline(rng: np.random.Generator, kind: int) -> npt.NDArray[np.float64]:
    """Outline clutter of a kind about the origin with radius near 1: (N, 2) float64."""
    if kind == 0:
        half = rng.uniform(0.3, 0.9)
        return np.array([[-0.8, -half], [0.8, -half], [0.8, half], [-0.8, half]])
    if kind == 1:
        return rng.uniform(-1, 1, (3, 2))
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    if kind == 2:
        radius = (
            0.7 + 0.12 * np.sin(angles * 2 + rng.uniform(0, 6)) + 0.1 * np.sin(angles * 3 + rng.uniform(0, 6))
        )
        return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)
    if kind == 3:
        return np.array([[-2.5, -0.12], [2.5, -0.12], [2.5, 0.12], [-2.5, 0.12]])
    start = rng.uniform(0, 360)
    return oval(0, 0, 1, rng.uniform(0.2, 1), start, start + rng.uniform(60, 360))
