"""A photo becomes the network input, and boxes find the way back.

The bits are those of mmcv's ``imrescale`` and ``imnormalize``. Normalisation is read from a table of the 256
values a pixel can have, made by the calls mmcv makes on every pixel: the same bits in a seventh of the time.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from convertkit.detection.canvas import canvas
from convertkit.detection.profiles import fitting_scale
from convertkit.detection.types import Array, Image, Placement
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.settings import PreprocessSpec

    Triple = tuple[float, float, float]


def letterbox(image: Image, size: tuple[int, int], spec: PreprocessSpec) -> tuple[NDArray[Any], Placement]:
    """Resize with the aspect ratio kept, and pad to the size of the network input; normalise unless the target does.

    Args:
        image: ``(H, W, 3) uint8`` BGR.
        size: height and width of the canvas in pixels.
        spec: mean, std, channel order, rounding of the resized size, placement, padding and who normalises.

    Returns:
        The tensor, C-contiguous, and the record of the placement. ``normalize: host`` gives ``(1, 3, height, width)
        float32`` in the network's channel order; ``normalize: target`` gives ``(1, height, width, 3) uint8`` BGR,
        padded with :func:`pad_pixel`.

    Raises:
        UsageError: the image is not ``(H, W, 3) uint8``, or is empty; or no pixel value comes near ``pad_value``.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise UsageError(
            f"an image is (H, W, 3) uint8 with pixels in it, this one is {image.shape} {image.dtype}"
        )
    place = placement(image.shape[0], image.shape[1], size, spec)
    form = _pixels if spec.normalize == "target" else _normalised
    return form(image, place, spec), place


def pad_pixel(spec: PreprocessSpec) -> tuple[int, int, int]:
    """The padding of an image that is normalised later: per channel in the network's order, 0..255.

    The whole number nearest to ``mean + pad_value * std``. After normalisation it differs from ``pad_value`` by at most
    ``0.5 / std``; for ImageNet's mean and std 124, 116, 104 become 0.0056, -0.0049 and 0.0082 instead of 0.

    Raises:
        UsageError: it would lie outside 0..255.
    """
    channels = list(zip(spec.padding, spec.mean, spec.std, strict=True))
    wanted = [mean + pad * std for pad, mean, std in channels]
    for (pad, *_), value in zip(channels, wanted, strict=True):
        if not -0.5 <= value < 255.5:
            raise UsageError(
                f"pad_value {pad:g} is pixel value {value:.1f}, outside 0..255",
                hint="say normalize: host, or give a pad_value that a pixel can have",
            )
    red, green, blue = (math.floor(value + 0.5) for value in wanted)
    return red, green, blue


def placement(height: int, width: int, size: tuple[int, int], spec: PreprocessSpec) -> Placement:
    """Where an image of ``height`` x ``width`` pixels goes on a canvas of ``size``; no pixel is touched.

    mmcv takes the canvas as a long and a short edge and may turn it by 90 degrees; a compiled graph cannot be
    turned, so the image always fits inside ``size``. Wherever mmcv's result fits too, it is the same.
    """
    canvas_height, canvas_width = size
    scale = fitting_scale(height, width, size)
    half = 0.5 if spec.rounding == "nearest" else 0.0
    resized_height, resized_width = (max(1, int(side * scale + half)) for side in (height, width))
    centred = spec.placement == "center"
    return Placement(
        source_height=height,
        source_width=width,
        resized_height=resized_height,
        resized_width=resized_width,
        pad_left=(canvas_width - resized_width) // 2 if centred else 0,
        pad_top=(canvas_height - resized_height) // 2 if centred else 0,
        canvas_height=canvas_height,
        canvas_width=canvas_width,
        scale_x=resized_width / width,
        scale_y=resized_height / height,
    )


def unletterbox_boxes(boxes: Array, place: Placement) -> Array:
    """Boxes of the network input as boxes of the original image, in float32 as mmdet does it.

    Args:
        boxes: ``(N, 4) float32 x1 y1 x2 y2, pixels of the network input``.
        place: what :func:`letterbox` returned.

    Returns:
        ``(N, 4) float32 x1 y1 x2 y2, pixels of the original image``, not clipped to it.
    """
    pad = np.array([place.pad_left, place.pad_top] * 2, np.float32)
    scale = np.array([place.scale_x, place.scale_y] * 2, np.float32)
    return (np.asarray(boxes, np.float32) - pad) / scale


def _normalised(image: Image, place: Placement, spec: PreprocessSpec) -> Array:
    """Channel by channel: the bits are the same, and a photo that has to grow is taken apart while it is small."""
    tensor = canvas((1, 3, place.canvas_height, place.canvas_width))
    rows, columns = _window(place)
    table = _table(spec.mean, spec.std, spec.to_rgb)
    shrinks = place.scale_x < 1
    planes = cv2.split(_resized(image, place) if shrinks else image)
    for channel, plane in enumerate(reversed(planes) if spec.to_rgb else planes):
        whole, padding = tensor[0, channel], spec.padding[channel]
        whole[: rows.start], whole[rows.stop :] = padding, padding
        whole[rows, : columns.start], whole[rows, columns.stop :] = padding, padding
        cv2.LUT(plane if shrinks else _resized(plane, place), table[channel], dst=whole[rows, columns])
    return tensor


def _pixels(image: Image, place: Placement, spec: PreprocessSpec) -> Image:
    colour = pad_pixel(spec)
    canvas = np.empty((1, place.canvas_height, place.canvas_width, 3), np.uint8)
    canvas[:] = colour[::-1] if spec.to_rgb else colour
    rows, columns = _window(place)
    canvas[0, rows, columns] = _resized(image, place)
    return canvas


def _resized(image: Any, place: Placement) -> Any:
    return cv2.resize(image, (place.resized_width, place.resized_height), interpolation=cv2.INTER_LINEAR)


def _window(place: Placement) -> tuple[slice, slice]:
    """Rows and columns of the image on the canvas."""
    return (
        slice(place.pad_top, place.pad_top + place.resized_height),
        slice(place.pad_left, place.pad_left + place.resized_width),
    )


@functools.lru_cache(maxsize=16)
def _table(mean: Triple, std: Triple, to_rgb: bool) -> NDArray[np.float32]:
    """``(3, 256) float32``: the normalised value of each pixel value, by channel of the network input.

    mean and std pass through float32 first, as mmdet's ``Normalize`` stores them; 1/std is float64.
    """
    mean64, std64 = (np.array([values], np.float32).astype(np.float64) for values in (mean, std))
    levels = np.repeat(np.arange(256, dtype=np.float32)[:, None, None], 3, axis=2)
    table = cv2.multiply(cv2.subtract(levels, mean64), 1.0 / std64)
    return np.ascontiguousarray(table[:, 0, :].T, dtype=np.float32)
