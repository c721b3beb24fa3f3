"""Photos for detectors that have none: noise of every scale, so that flat places and edges occur."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convertkit.api.models import Model, Placement, PreprocessSpec, letterbox
from convertkit.api.passes import hookimpl


class SmallDetectors(Model):
    """mmdet's box detectors, made small."""

    name = "small-detectors"

    def preprocess(
        self, image: NDArray[Any], size: tuple[int, int], spec: PreprocessSpec
    ) -> tuple[dict[str, NDArray[Any]], Placement]:
        tensor, placement = letterbox(image, size, spec)
        return {"input": tensor}, placement

    def sample_images(self) -> Iterator[NDArray[Any]]:
        return (noise(seed) for seed in range(2))


def noise(seed: int, height: int = 192, width: int = 256) -> NDArray[np.uint8]:
    """``(height, width, 3) uint8``: octaves of noise whose amplitude falls with frequency, as in photographs."""
    source = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24, 48, 96, 192):
        grid = source.standard_normal((cells, cells, 3)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR) / np.sqrt(cells)
    spread = 57.0 / total.std()
    return np.clip(114.0 + (total - total.mean()) * spread, 0, 255).astype(np.uint8)


@hookimpl
def register_models(register: Callable[[type[Model]], None]) -> None:
    register(SmallDetectors)
