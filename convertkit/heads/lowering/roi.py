"""``MultilevelRoiAlign`` in standard ONNX: every RoI pooled once, on its own level.

The framework's own export pools every RoI on every level and throws all results but one away.

Differences from the reference:

* A RoI is at least one feature pixel wide and high, whatever ``clamp`` says: ``RoiAlign`` before opset 16 (from 16 on:
  ``output_half_pixel``) always clamps, and so does the framework's export. mmcv with ``aligned=True`` does not.
* A RoI whose area overflows fp32 pools to 0.
* ``sampling_ratio=0`` on a finite RoI many times larger than the map takes as many samples as its size asks for, also
  those beyond the map, as ``RoiAlign`` does: time and memory grow with its area.

RoIs that no level takes, that are not finite, or whose image does not exist, give 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from convertkit.heads.lowering.emit import Emitter, Tensor
from convertkit.heads.lowering.levels import area_bounds
from convertkit.heads.lowering.site import Site
from convertkit.heads.operator import Values


def roi_align(emit: Emitter, site: Site) -> list[Tensor]:
    """Output ``(K, C, output_height, output_width) float32``; K may be open, and all of the features but channels."""
    *features, rois = site.inputs
    (channels,) = site.shape(0, slice(1, 2))
    corners = emit.columns(rois, 1, 5)
    image = emit.reshape(emit.columns(rois, 0, 1), -1)
    masks = _masks(emit, corners, image, features[0], _bounds(site.attributes, len(features)))
    number = emit.cast(image, np.int64)
    mine = [emit.reshape(emit.op("NonZero", mask), -1) for mask in masks]
    pooled = []
    for level, (feature, rows) in enumerate(zip(features, mine, strict=True)):
        where = emit.op("Gather", corners, rows, axis=0), emit.op("Gather", number, rows, axis=0)
        pooled.append(_pool(emit, feature, *where, site.attributes, level))
    nothing = emit.filled(emit.ints([1, channels, *_bins(site.attributes)]))
    return [_in_order(emit, nothing, pooled, mine, _zeros(emit, rois, image))]


def _zeros(emit: Emitter, rois: Tensor, image: Tensor) -> Tensor:
    """``(K,) int64``; a constant where K is known."""
    if rois.shape and isinstance(rois.shape[0], int):
        return emit.ints(np.zeros(rois.shape[0]))
    return emit.cast(emit.filled(emit.op("Shape", image)), np.int64)


def _bins(attributes: Values) -> tuple[int, int]:
    return attributes["output_height"], attributes["output_width"]


def _in_order(
    emit: Emitter, nothing: Tensor, pooled: Sequence[Tensor], mine: Sequence[Tensor], zeros: Tensor
) -> Tensor:
    """The RoIs in the order they came in; ``nothing`` where no level took one.

    One Concat and one Gather: ScatterND per level copies the whole result each time (measured: twice as slow).
    """
    source = emit.op("Concat", *mine, axis=0)
    end = emit.op("Add", emit.reshape(emit.op("Shape", source)), emit.ints(1))
    number = emit.op("Range", emit.ints(1), end, emit.ints(1))
    index = emit.op("ScatterElements", zeros, source, number, axis=0)
    return emit.op("Gather", emit.op("Concat", nothing, *pooled, axis=0), index, axis=0)


def _bounds(attributes: Values, levels: int) -> Sequence[float]:
    bounds: Sequence[float] = area_bounds(attributes["at_bound"], attributes["finest_scale"], levels).tolist()
    return bounds


def _masks(
    emit: Emitter, corners: Tensor, image: Tensor, feature: Tensor, bounds: Sequence[float]
) -> list[Tensor]:
    """Per level ``(K,) bool``: which RoIs it pools."""
    size = emit.op("Sub", emit.columns(corners, 2, 4), emit.columns(corners, 0, 2))
    area = emit.op("ReduceProd", size, axes=[1], keepdims=0)
    zero = emit.floats(0)
    usable = emit.all(
        # an infinite or NaN corner makes the area infinite or NaN
        emit.op("Less", emit.op("Abs", area), emit.floats(np.inf)),
        emit.op("Not", emit.op("Less", image, zero)),
        emit.op("Less", image, _images(emit, feature)),
    )
    if not bounds:
        return [usable]
    usable = emit.all(usable, emit.op("Not", emit.op("Less", area, zero)))
    reaches = [usable, *(emit.all(usable, emit.op("Greater", area, emit.floats(bound))) for bound in bounds)]
    within = [emit.all(low, emit.op("Not", high)) for low, high in pairwise(reaches)]
    return [*within, reaches[-1]]


def _images(emit: Emitter, feature: Tensor) -> Tensor:
    """How many there are, float32; a constant where that is known."""
    count = feature.shape[0] if feature.shape else None
    if isinstance(count, int):
        return emit.floats(count)
    return emit.cast(emit.op("Gather", emit.op("Shape", feature), emit.ints(0)), np.float32)


def _pool(
    emit: Emitter, feature: Tensor, corners: Tensor, number: Tensor, attributes: Values, level: int
) -> Tensor:
    """``(n, C, rows, columns)`` of one level."""
    scale = attributes["spatial_scale"][level]
    if attributes["aligned"]:
        # exact where the scale is a power of two: the same bits as after scaling
        corners = emit.op("Sub", corners, emit.floats(np.float32(0.5) / np.float32(scale)))
    return emit.roi_align(
        feature,
        corners,
        number,
        mode="avg",
        output_height=attributes["output_height"],
        output_width=attributes["output_width"],
        sampling_ratio=max(attributes["sampling_ratio"], 0),
        spatial_scale=float(scale),
    )
