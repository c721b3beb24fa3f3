"""``MultilevelRoiAlign``: the record, its inference and its reference.

mmdet 2.x (``SingleRoIExtractor`` over mmcv's ``RoIAlign``) is ``at_bound=up``, and ``clamp=0`` where ``aligned``.
Where the image's index is not whole, the floor is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convertkit.errors import UsageError
from convertkit.heads import roi_levels
from convertkit.heads.operator import Attribute, Formal, Head, Inputs, Outputs, Values
from convertkit.heads.roi_align import Pooling, roi_align

if TYPE_CHECKING:
    from convertkit.heads.inference import Node
    from convertkit.heads.roi_levels import Levels


def pool(inputs: Inputs, attributes: Values) -> Outputs:
    """The operator in fp32; shapes as in its record."""
    return pool_by(roi_levels.RULES[attributes["at_bound"]], inputs, attributes)


def pool_by(choose: Levels, inputs: Inputs, attributes: Values, *, reciprocal: bool = False) -> Outputs:
    """Every RoI is pooled once, on its own level; the result has the type of the features.

    Args:
        choose: which level that is.
        reciprocal: see :class:`~convertkit.heads.roi_align.Pooling`.
    """
    *features, rois = arrays(inputs)
    scales = attributes["spatial_scale"]
    if len(scales) != len(features):
        raise UsageError(
            f"MultilevelRoiAlign: {len(scales)} spatial scales for {len(features)} feature levels"
        )
    bins = (int(attributes["output_height"]), int(attributes["output_width"]))
    corners = rois.astype(np.float32)
    level = choose(corners, float(attributes["finest_scale"]), len(features))
    result = np.zeros((len(rois), features[0].shape[1], *bins), features[0].dtype)
    for index, (feature, scale) in enumerate(zip(features, scales, strict=True)):
        mine = np.flatnonzero(level == index)
        if not len(mine):
            continue
        samples, aligned = int(attributes["sampling_ratio"]), bool(attributes["aligned"])
        smallest = 1.0 if attributes["clamp"] else None
        pooling = Pooling(scale, bins, samples, aligned, smallest, reciprocal)
        result[mine] = roi_align(feature.astype(np.float32, copy=False), corners[mine], pooling)
    return (result,)


def arrays(inputs: Inputs) -> list[NDArray[Any]]:
    """Features and rois.

    Raises:
        UsageError: one is missing or has the wrong shape.
    """
    found = [item for item in inputs if item is not None]
    shapes = [item.shape for item in found]
    fits = len(found) == len(inputs) >= 2 and all(len(shape) == 4 for shape in shapes[:-1])
    if not fits or len({shape[:2] for shape in shapes[:-1]}) != 1 or shapes[-1][1:] != (5,):
        raise UsageError(f"features (N, C, H, W) ... and rois (K, 5) are taken, not {shapes}")
    return found


def infer(node: Node) -> None:
    """Output ``(K, C, output_height, output_width)`` of the features' type."""
    infer_bins(node, node.attributes["output_height"], node.attributes["output_width"])


def infer_bins(node: Node, height: int, width: int) -> None:
    """The same for the bins of an operator with other attributes."""
    last = node.inputs - 1
    if last < 1:
        node.refuse("needs at least one feature level and rois")
    kind = node.floating(range(last + 1))
    maps = [node.dims(index, 4) for index in range(last)]
    count, columns = node.dims(last, 2)
    node.same("the columns of rois", columns, 5)
    node.same("the batch of the features", *(dims[0] for dims in maps))
    channels = node.same("the channels of the features", *(dims[1] for dims in maps))
    scales = node.attributes["spatial_scale"]
    if len(scales) != last:
        node.refuse(f"{len(scales)} spatial scales for {last} feature levels")
    node.set(0, kind, (count, channels, height, width))


MULTILEVEL_ROI_ALIGN = Head(
    name="MultilevelRoiAlign",
    doc="Pool every RoI, by averages, from the feature level that fits its size.",
    inputs=(
        Formal(
            "features_and_rois",
            "levels (N, C, H, W), finest first; the last input is rois (K, 5): image, x1 y1 x2 y2 in pixels",
            option="variadic",
        ),
    ),
    outputs=(Formal("y", "(K, C, output_height, output_width)"),),
    attributes=(
        Attribute("finest_scale", "INT", "scale in pixels below whose double level 0 is taken", low=1),
        Attribute("spatial_scale", "FLOATS", "1 / stride per level", low=0.0),
        Attribute("output_height", "INT", "rows of the result", low=1),
        Attribute("output_width", "INT", "columns of the result", low=1),
        Attribute("sampling_ratio", "INT", "samples per bin and axis, 0 for adaptive", 0),
        Attribute("aligned", "INT", "1: shift by half a feature pixel", 1, low=0, high=1),
        Attribute(
            "at_bound", "STRING", "where a RoI goes whose scale is a bound", "up", choices=("up", "down")
        ),
        Attribute("clamp", "INT", "1: a RoI is at least one feature pixel wide and high", 1, low=0, high=1),
    ),
    infer=infer,
    reference=pool,
)
