"""``multiclass_nms3`` as paddle2onnx writes it; ``tests/exporters/of_paddle.py`` makes the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NAMES = ("all", "background", "index", "nms")


def file(name: str) -> Path:
    """Boxes ``(1, 30, 4)`` and scores ``(1, 3, 30)`` -> rows of class, score and box, and how many they are."""
    return Path(__file__).parent / "paddle2onnx-1.3.1" / f"{name}.onnx"


def scattered(seed: int, scale: float) -> dict[str, NDArray[np.float32]]:
    """Boxes of any place; ``scale`` is the largest score."""
    random = np.random.default_rng(seed)
    low, side = random.uniform(0, 40, (1, 30, 2)), random.uniform(5, 40, (1, 30, 2))
    boxes, scores = np.concatenate([low, low + side], 2), scale * random.random((1, 3, 30))
    return {"boxes": boxes.astype(np.float32), "scores": scores.astype(np.float32)}
