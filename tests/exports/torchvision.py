"""torchvision's own exports of small detectors; ``tests/exporters/of_torchvision.py`` writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NAMES = ("faster_rcnn", "fcos", "keypoint_rcnn", "mask_rcnn", "retinanet", "ssd", "ssdlite")


def file(name: str) -> Path:
    """The export of one detector: a picture ``(3, 64, 64) float32`` -> boxes, labels, scores, ..."""
    return Path(__file__).parent / "torchvision-0.19.1" / f"{name}.onnx"


def pictures() -> list[NDArray[np.float32]]:
    """Pictures that give from no detection to as many as a detector may return, 12."""
    brightness = (1, 0.2, 0.5, 3, 0)
    noise = [np.random.default_rng(seed).random((3, 64, 64), np.float32) for seed in range(len(brightness))]
    return [picture * np.float32(by) for picture, by in zip(noise, brightness, strict=True)]
