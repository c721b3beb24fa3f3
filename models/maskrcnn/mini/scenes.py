"""Deterministic synthetic scenes with COCO instance annotations, for training and measuring ``mini``.

Image ``index`` of a split depends on the split, the index and the seed alone, never on how many are made.
The same versions of numpy and OpenCV give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .backgrounds import background
from .coco import annotation, dataset
from .pen import Bytes, clouds
from .placement import OVERSAMPLING, Owners, Spot, cross_out, crowded, paste
from .shapes import SHAPES

#: First word of every random stream: no image of one split can be drawn by another.
SPLITS = {"train": 1, "heldout": 2}

#: Sides of an image in pixels (``mini`` sees 320 x 320 after letterboxing).
SHORT_SIDE, LONG_SIDE = (240, 320), (300, 400)
#: Diameters of objects in pixels, drawn uniformly in the logarithm: COCO's small, medium and large.
DIAMETERS = (20.0, 240.0)
#: An object is annotated when at least this part of it, and this many pixels, can be seen.
VISIBLE_PART, VISIBLE_PIXELS = 0.3, 50


@dataclass(frozen=True)
class Instance:
    """One annotated object: COCO category identifier and visible pixels, (H, W) bool."""

    category_id: int
    mask: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """An image, (H, W, 3) uint8 in B G R order, and the objects to be found in it."""

    image: Bytes
    instances: tuple[Instance, ...]


def scene(split: str, index: int, seed: int = 0) -> Scene:
    """Draw image ``index`` of a split, a pure function of its three arguments."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: known are {', '.join(SPLITS)}")
    rng = np.random.Generator(np.random.PCG64([SPLITS[split], seed, index]))
    sides = (
        int(rng.integers(SHORT_SIDE[0], SHORT_SIDE[1] + 1)),
        int(rng.integers(LONG_SIDE[0], LONG_SIDE[1] + 1)),
    )
    height, width = sides if rng.random() < 0.6 else sides[::-1]
    canvas = background(rng, height, width)
    owners: Owners = np.zeros((height, width), np.int16)
    drawn = _populate(canvas, owners, rng)
    for _ in range(int(rng.choice([0, 0, 1, 2]))):
        cross_out(canvas, owners, rng)
    return Scene(_photograph(canvas, rng), _visible(owners, drawn))


def generate(split: str, count: int, seed: int = 0) -> Iterator[Scene]:
    """Draw the first ``count`` images of a split, one at a time."""
    return (scene(split, index, seed) for index in range(count))


def write_dataset(directory: str | Path, split: str, count: int, seed: int = 0) -> Path:
    """Write ``images/*.png`` (lossless) and ``instances.json`` (COCO); return the path of the latter.

    Annotations carry uncompressed run lengths, which pycocotools, hotcoco and mmdet read.
    """
    root = Path(directory)
    (root / "images").mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, drawn in enumerate(generate(split, count, seed)):
        name = f"{split}-{seed}-{index:06d}.png"
        if not cv2.imwrite(str(root / "images" / name), drawn.image):
            raise OSError(f"cannot write {root / 'images' / name}")
        height, width = drawn.image.shape[:2]
        images.append({"id": index + 1, "file_name": name, "height": height, "width": width})
        for instance in drawn.instances:
            annotations.append(
                annotation(len(annotations) + 1, index + 1, instance.category_id, instance.mask)
            )
    target = root / "instances.json"
    target.write_text(json.dumps(dataset(images, annotations, split, seed)), encoding="utf-8")
    return target


def _populate(canvas: Bytes, owners: Owners, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Paste 2 to 9 objects; return (category identifier, full area), entry k - 1 for owner k."""
    height, width = canvas.shape[:2]
    drawn: list[tuple[int, float]] = []
    spots: list[Spot] = []
    for _ in range(int(rng.integers(2, 10))):
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        diameter = float(np.exp(rng.uniform(*np.log(DIAMETERS))))
        x, y = rng.uniform(0.06, 0.94) * width, rng.uniform(0.06, 0.94) * height
        spot = Spot(x, y, diameter, rng.uniform(-shape.turn, shape.turn))
        if crowded(spot, spots) and rng.random() < 0.85:
            continue
        pen = shape.draw(int(min(256, max(48, diameter * OVERSAMPLING))), rng)
        area = paste(canvas, owners, len(drawn) + 1, pen, spot, rng)
        drawn.append((shape.category_id, area))
        spots.append(spot)
    return drawn


def _visible(owners: Owners, drawn: list[tuple[int, float]]) -> tuple[Instance, ...]:
    """Keep the objects of which enough can be seen."""
    instances = []
    for key, (category_id, area) in enumerate(drawn, start=1):
        mask = owners == key
        if np.count_nonzero(mask) >= max(VISIBLE_PIXELS, VISIBLE_PART * area):
            instances.append(Instance(category_id, mask))
    return tuple(instances)


def _photograph(canvas: Bytes, rng: np.random.Generator) -> Bytes:
    """Expose the scene: uneven light, colour cast, contrast, blur and sensor noise."""
    height, width = canvas.shape[:2]
    light = 1 + rng.uniform(0, 0.35) * clouds(rng, height, width, (2, 3))
    cast = rng.uniform(0.86, 1.14, 3) * rng.uniform(0.72, 1.15)
    image = canvas * (light[:, :, None] * cast.astype(np.float32))
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.1))
    grain = rng.standard_normal((height, width), np.float32) * np.float32(rng.uniform(1, 9))
    speck = rng.integers(-4, 5, (height, width, 3), np.int8)
    image += grain[:, :, None]
    image += speck
    exposed: Bytes = np.clip(image, 0, 255, out=image).astype(np.uint8)
    return exposed
