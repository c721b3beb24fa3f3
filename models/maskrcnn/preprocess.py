"""A photo as the input of Mask R-CNN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api.models import Placement, PreprocessSpec, letterbox

INPUT = "input"
PICTURE = "picture"
"""The input that ``clip-to-picture`` adds; a graph without it ignores the value."""


def preprocess(
    image: NDArray[Any], size: tuple[int, int], spec: PreprocessSpec
) -> tuple[dict[str, NDArray[Any]], Placement]:
    """Letterbox a photo to the size of the network input.

    Args:
        image: ``(H, W, 3) uint8``, BGR.
        size: height and width of the network input, pixels.
        spec: normalisation and where it happens, placement and padding.

    Returns:
        ``{"input": (1, 3, height, width) float32, "picture": (1, 4) float32 x1 y1 x2 y2 of the picture on the
        canvas, pixels}``, and where the picture lies on the canvas. With ``normalize: target`` the input is
        ``(1, height, width, 3) uint8`` BGR.
    """
    tensor, placement = letterbox(image, size, spec)
    return {INPUT: tensor, PICTURE: _picture(placement)}, placement


def _picture(placement: Placement) -> NDArray[np.float32]:
    left, top = placement.pad_left, placement.pad_top
    right, bottom = left + placement.resized_width, top + placement.resized_height
    return np.array([[left, top, right, bottom]], np.float32)
