"""Photos as the inputs of a graph, by the roles that ``model.yaml`` gives them, and pictures where no photo is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from convertkit.detection.letterbox import letterbox
from convertkit.errors import SpecError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.settings import PreprocessSpec
    from convertkit.detection.types import Image, Placement
    from convertkit.models.spec import TensorSpec

PICTURE = "picture"
"""The input that ``clip-to-picture`` adds."""

SIDES = 480, 640
"""Of a picture of noise, pixels."""


def graph_inputs(
    image: Image, size: tuple[int, int], spec: PreprocessSpec, inputs: Mapping[str, TensorSpec]
) -> tuple[dict[str, NDArray[Any]], Placement]:
    """As :meth:`convertkit.models.base.Model.preprocess`.

    The input is as ``model.yaml`` promises it: ``[1, 3, H, W]``, with its channels last, or without the first axis;
    and of its dtype.

    Raises:
        SpecError: not exactly one input has the role ``image``.
    """
    images = {name: tensor for name, tensor in inputs.items() if tensor.role == "image"}
    if len(images) != 1:
        raise SpecError(
            f"model.yaml: {len(images)} inputs have the role image, and a photo is one",
            hint="a package with other inputs needs a plugin with `preprocess`",
        )
    (name, tensor), (array, placement) = *images.items(), letterbox(image, size, spec)
    if spec.normalize == "host":
        array = _as_promised(array, tensor)
    left, top = placement.pad_left, placement.pad_top
    right, bottom = left + placement.resized_width, top + placement.resized_height
    return {name: array, PICTURE: np.array([[left, top, right, bottom]], np.float32)}, placement


def _as_promised(array: NDArray[Any], tensor: TensorSpec) -> NDArray[Any]:
    sides = tensor.shape[-3:]
    if len(sides) == 3 and sides[2] == 3 != sides[0]:
        array = np.ascontiguousarray(array.transpose(0, 2, 3, 1))
    if len(tensor.shape) == 3:
        array = array[0]
    return array.astype(tensor.dtype or np.float32, copy=False)


def noise(count: int) -> Iterator[Image]:
    """Pictures whose amplitudes fall with the frequency as in photographs, ``(480, 640, 3) uint8``; always the same."""
    source = np.random.default_rng(0)
    for _ in range(count):
        total = np.zeros((*SIDES, 3))
        for cells in (3, 6, 12, 24, 48, 96, 192, 384):
            grid = source.standard_normal((cells, cells, 3))
            octave: NDArray[Any] = cv2.resize(grid, SIDES[::-1], interpolation=cv2.INTER_LINEAR)
            total = total + octave / cells**0.5
        total = (total - total.mean()) / total.std()
        yield np.clip(total * 58 + 118, 0, 255).astype(np.uint8)
