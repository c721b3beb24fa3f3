"""A photo as the input of Mask R-CNN."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from convertkit import Placement, PreprocessSpec, letterbox

INPUT = "input"


def preprocess(
    image: NDArray[Any], size: tuple[int, int], spec: PreprocessSpec
) -> tuple[dict[str, NDArray[Any]], Placement]:
    """Letterbox a photo to the size of the network input.

    Args:
        image: ``(H, W, 3) uint8``, BGR.
        size: height and width of the network input, pixels.
        spec: normalisation, placement and padding.

    Returns:
        ``{"input": (1, 3, height, width) float32}``, and where the picture lies on the canvas.
    """
    tensor, placement = letterbox(image, size, spec)
    return {INPUT: tensor}, placement
