"""What the RoiAlign nodes of a candidate state themselves: feature maps, scales, bins, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.api.heads import Refused

IMAGE_SIDE = 512
"""Pixels; the image that features of unknown size are probed with."""

MOST_LEVELS = 8
"""Of one head; pyramids have four or five."""

BATCH = 2
"""Images, where the batch of the features is not known."""

MOST_POINTS = 128
"""That a RoI is sampled at along one side; detectors have 14 bins of two to four."""


@dataclass(frozen=True)
class Pooling:
    """The levels of a candidate in the order of its nodes.

    Args:
        features: the tensors pooled from.
        shapes: ``(N, C, H, W)`` to probe each with.
        scales: feature pixels per image pixel.
        bins: ``(height, width)`` of the result.
        samples: per bin and axis; 0: as many as the bin has feature pixels.
    """

    features: tuple[Any, ...]
    shapes: tuple[tuple[int, int, int, int], ...]
    scales: tuple[float, ...]
    bins: tuple[int, int]
    samples: int

    @property
    def levels(self) -> int:
        return len(self.scales)

    @property
    def images(self) -> int:
        return self.shapes[0][0]

    @property
    def image(self) -> tuple[float, float]:
        """``(height, width)`` in pixels that every level covers."""
        sides = np.array([shape[2:] for shape in self.shapes]) / np.array(self.scales)[:, None]
        height, width = sides.min(axis=0)
        return float(height), float(width)


def common_pooling(nodes: Sequence[Any], *, square: bool) -> Pooling:
    """What the nodes state, where they can be levels of one extractor.

    Args:
        square: whether the bins must be as many one way as the other.

    Raises:
        Refused: they cannot.
    """
    _check_features(nodes)
    for node in nodes:
        if _mode(node) != "avg":
            raise Refused(f"pooling mode is {_mode(node)}, not avg", node.outputs[0].name)
    _same(nodes, "output_height", 1)
    _same(nodes, "output_width", 1)
    _same(nodes, "sampling_ratio", 0)
    first = nodes[0].attrs
    bins = int(first.get("output_height", 1)), int(first.get("output_width", 1))
    samples = int(first.get("sampling_ratio", 0))
    if square and bins[0] != bins[1]:
        raise Refused(f"its bins are {bins[0]} x {bins[1]}, not square", nodes[0].outputs[0].name)
    if impossible := _too_fine(max(bins), samples):
        raise Refused(impossible, nodes[0].outputs[0].name)
    scales = tuple(_scale(node) for node in nodes)
    features = tuple(node.inputs[0] for node in nodes)
    batch, channels = _shared(features, 0, "batch") or BATCH, _shared(features, 1, "channels")
    if channels is None:
        raise Refused("the channels of the features are not known", features[0].name, unsized=True)
    maps = [_map(feature, scale) for feature, scale in zip(features, scales, strict=True)]
    return Pooling(features, tuple((batch, channels, *sides) for sides in maps), scales, bins, samples)


def _too_fine(bins: int, samples: int) -> str:
    """Why the pooling is not measured: it would take minutes; nothing where it is."""
    points = bins * max(samples, 1)
    if points <= MOST_POINTS:
        return ""
    what = f"{bins} bins a side with sampling_ratio {samples} take {points} points a side of every RoI"
    return f"{what}; up to {MOST_POINTS} are measured"


def _check_features(nodes: Sequence[Any]) -> None:
    if not 2 <= len(nodes) <= MOST_LEVELS:
        raise Refused(f"{len(nodes)} levels; looked for are 2 to {MOST_LEVELS}")
    features = [node.inputs[0] for node in nodes]
    seen: set[int] = set()
    for tensor in features:
        if id(tensor) in seen:
            raise Refused("two levels pool from the same features", tensor.name)
        seen.add(id(tensor))
        if hasattr(tensor, "values"):
            raise Refused("the features are constant", tensor.name)
        if tensor.dtype != np.float32:
            raise Refused(f"the features are {tensor.dtype}, not float32", tensor.name)
        if tensor.shape is None or len(tensor.shape) != 4:
            raise Refused(f"the rank of the features is not known to be 4: {tensor.shape}", tensor.name)


def _scale(node: Any) -> float:
    scale = float(node.attrs.get("spatial_scale", 1.0))
    if not 0 < scale < np.inf:
        raise Refused(f"spatial_scale is {scale:g}", node.outputs[0].name)
    return scale


def _mode(node: Any) -> str:
    return str(node.attrs.get("mode", "avg"))


def _same(nodes: Sequence[Any], name: str, default: int) -> None:
    values = [int(node.attrs.get(name, default)) for node in nodes]
    for node, value in zip(nodes, values, strict=True):
        if value != values[0]:
            raise Refused(f"{name} differs between levels: {values}", node.outputs[0].name)


def _shared(features: Sequence[Any], axis: int, what: str) -> int | None:
    """A size that all features share; None where none of them says it."""
    sizes = {tensor.shape[axis] for tensor in features if isinstance(tensor.shape[axis], int)}
    if len(sizes) > 1:
        raise Refused(f"the features differ in {what}: {sorted(sizes)}", features[0].name)
    return next(iter(sizes), None)


def _map(tensor: Any, scale: float) -> tuple[int, int]:
    side = max(2, round(IMAGE_SIDE * scale))
    height, width = (size if isinstance(size, int) else side for size in tensor.shape[2:])
    return height, width
