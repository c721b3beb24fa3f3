"""``RoiExtractor``: the record, its inference, its limits and its three semantics.

*framework* is mmdet 2.x: ``SingleRoIExtractor`` over mmcv's ``RoIAlign``. *ideal* is the operator as defined
(ascend-facts: roi-levels, roi-bins): a scale equal to a bound goes down, and a RoI is at least one feature pixel wide
and high also when aligned (``_calc_roi_size`` in ``roi_align_compute.py``; mmcv clamps only when not aligned). Both
kernels, static and dynamic, take pooled_height for the width too, so *ideal* and *device* give square bins whatever
pooled_width says, and :func:`sizes` refuses it (the IR's shape has pooled_width all the same). *device* adds what the
310P's kernel (``impl/dynamic/roi_extractor.py``, ``roi_align_compute.py`` of CANN 8.1.RC1) does to it; read in source,
not seen on hardware:

* features, rois and spatial_scale are fp16; coordinates are then computed in fp32 (``_move_roi_data_to_ub``);
* the scale is compared in fp16;
* bins come from a product with fp32 1 / pooled size (``_calc_grid_size``), so that a RoI of exactly 21 feature pixels
  has bins of 3.0000002 and takes 4 samples where division gives 3.

Left open, and chosen:

* The kernel rounds the weight of every sample to fp16 and adds up in fp16; the order inside ``vbi`` is not
  written. Chosen: fp32 inside, one rounding to fp16 at the end: a lower bound of the kernel's error. Where fp16 sums
  were tried on random features of unit size, the rms error went from 0.9e-4 to 2.0e-4.
* Where the picture's index is not whole, all three take the floor, as the dynamic kernel does (the static one: ceil).
* The reciprocals are computed by the host's tiling code, which is closed. Chosen: fp32 division.
* roi_scale_factor is stored and not used (ascend-facts: roi-ir): no semantics uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import convertkit
from convertkit_ascend.ops import roi_levels
from convertkit_ascend.ops.record import Attribute, Fault, Formal, Inputs, Outputs, Shape, Values, VendorOp
from convertkit_ascend.ops.roi_align import Pooling, roi_align

if TYPE_CHECKING:
    from convertkit_ascend.ops.inference import Node

MOST_LEVELS = 8
"""The tiling data of ``impl/dynamic/roi_extractor.py`` (``get_tiling_args``) has eight places per quantity."""

LARGEST_FLOAT16 = 65504.0

Levels = Callable[[NDArray[np.float32], float, int], NDArray[np.int64]]


def framework(inputs: Inputs, attributes: Values) -> Outputs:
    """mmdet's extractor in fp32; shapes as in the operator's record."""
    smallest = None if attributes["aligned"] else 1.0
    return _run(inputs, attributes, roi_levels.framework, smallest)


def _square(attributes: Values) -> Values:
    return {**attributes, "pooled_width": attributes["pooled_height"]}


def ideal(inputs: Inputs, attributes: Values) -> Outputs:
    """The operator as defined, in fp32; shapes as in the operator's record."""
    return _run(inputs, _square(attributes), roi_levels.ideal, 1.0)


def device(inputs: Inputs, attributes: Values) -> Outputs:
    """The 310P kernel in fp16; the result has the type of the features, every value is exact in fp16."""
    *features, rois = arrays(inputs)
    with np.errstate(over="ignore"):
        rounded = [item.astype(np.float16) for item in (*features, rois)]
        scales = [float(np.float16(item)) for item in attributes["spatial_scale"]]
        values = {**_square(attributes), "spatial_scale": scales}
        (pooled,) = _run(rounded, values, roi_levels.device, 1.0, reciprocal=True)
    return (pooled.astype(features[0].dtype),)


def _run(
    inputs: Inputs, attributes: Values, choose: Levels, smallest: float | None, *, reciprocal: bool = False
) -> Outputs:
    """Every RoI is pooled once, on its own level; the result has the type of the features."""
    *features, rois = arrays(inputs)
    scales = attributes["spatial_scale"]
    if len(scales) != len(features):
        raise convertkit.UsageError(
            f"RoiExtractor: {len(scales)} spatial scales for {len(features)} feature levels"
        )
    bins = (int(attributes["pooled_height"]), int(attributes["pooled_width"]))
    corners = rois.astype(np.float32)
    level = choose(corners, float(attributes["finest_scale"]), len(features))
    result = np.zeros((len(rois), features[0].shape[1], *bins), features[0].dtype)
    for index, (feature, scale) in enumerate(zip(features, scales, strict=True)):
        mine = np.flatnonzero(level == index)
        if not len(mine):
            continue
        pooling = Pooling(
            scale, bins, int(attributes["sample_num"]), bool(attributes["aligned"]), smallest, reciprocal
        )
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
        raise convertkit.UsageError(
            f"RoiExtractor takes features (N, C, H, W) ... and rois (K, 5), not {shapes}"
        )
    return found


def infer(node: Node) -> None:
    """Output ``(K, C, pooled_height, pooled_width)`` of the features' type."""
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
    if node.attributes["pool_mode"] != "avg":
        node.refuse("pool_mode must be avg")
    node.set(0, kind, (count, channels, node.attributes["pooled_height"], node.attributes["pooled_width"]))


def sizes(attributes: Values, shapes: Sequence[Shape | None]) -> list[Fault]:
    """Faults of the attributes together with the shapes of the features and the rois."""
    mode = attributes["pool_mode"]
    faults = [Fault(f"pool_mode must be avg, it is {mode!r}", "pool_mode")] if mode != "avg" else []
    return [*faults, *map(Fault, _levels(attributes, len(shapes) - 1)), *_shapes(shapes)]


def _levels(attributes: Values, levels: int) -> list[str]:
    lines = square_only(attributes["pooled_height"], attributes["pooled_width"])
    if not 1 <= levels <= MOST_LEVELS:
        lines.append(f"it takes 1 to {MOST_LEVELS} feature levels, not {levels}")
    if len(attributes["spatial_scale"]) != levels:
        lines.append(f"{len(attributes['spatial_scale'])} spatial scales for {levels} feature levels")
    if attributes["finest_scale"] * 2.0 ** max(levels - 1, 1) > LARGEST_FLOAT16:
        lines.append("the bound of the last level is beyond float16")
    if levels == 1:
        # ``where_and_nonzero``: level 0 tests only the upper bound
        lines.append(
            f"with one level the kernel skips RoIs above {2 * attributes['finest_scale']} px: use RoiAlign"
        )
    return lines


def square_only(height: int, width: int) -> list[str]:
    """Why the kernels cannot make such bins; nothing where they can (ascend-facts: roi-bins)."""
    if height == width:
        return []
    return [
        f"the kernel takes pooled_height for both sides: bins of {height} x {width} come out {height} x {height}"
    ]


def _shapes(shapes: Sequence[Shape | None]) -> list[Fault]:
    *features, rois = shapes
    faults = []
    if any(shape is not None and len(shape) != 4 for shape in features):
        faults.append(Fault("features must have rank 4"))
    elif len({tuple(shape[:2]) for shape in features if shape is not None}) > 1:
        faults.append(Fault("features differ in batch or channels"))
    if rois is not None and (len(rois) != 2 or rois[1] != 5):
        faults.append(Fault(f"rois must be (K, 5), they are {tuple(rois)}"))
    sizes_known = [size for shape in shapes if shape is not None for size in shape]
    if any(not isinstance(size, int) for size in sizes_known):
        faults.append(Fault("features and rois must have static shapes", is_open=True))
    return [*faults, Fault("no size may be 0")] if 0 in sizes_known else faults


def remarks(attributes: Values, shapes: Sequence[Shape | None]) -> list[str]:
    """What the 310P does differently from the ideal."""
    lines = []
    batch = shapes[0][0] if shapes and shapes[0] else None
    if isinstance(batch, int) and batch > 2048:
        lines.append("picture numbers above 2048 are not exact in float16")
    if attributes.get("roi_scale_factor"):
        lines.append("roi_scale_factor is not used by the kernel")
    return lines + _buffer(attributes, shapes[0] if shapes else None)


UB_BYTES = 262_144
"""Unified buffer of the 310P (ascend-facts: chip-figures)."""


def _buffer(attributes: Values, features: Shape | None) -> list[str]:
    """One RoI's result, in fp16 and sixteens of channels, goes through this buffer (ascend-facts: roi-buffer)."""
    channels = features[1] if features and len(features) > 1 else None
    if not isinstance(channels, int):
        return []
    height, width = attributes["pooled_height"], attributes["pooled_width"]
    need = -(-channels // 16) * 16 * height * width * 2
    if need <= UB_BYTES:
        return []
    what = f"{channels} x {height} x {width} of one RoI in float16 are {need} bytes"
    return [f"{what}, the unified buffer they go through has {UB_BYTES}; the effect was not tried"]


ROI_EXTRACTOR = VendorOp(
    name="RoiExtractor",
    doc="Pool every RoI from the feature level that fits its size.",
    inputs=(
        Formal(
            "features_and_rois",
            "levels (N, C, H, W), finest first; the last input is rois (K, 5): picture, x1 y1 x2 y2 in pixels",
            option="variadic",
        ),
    ),
    outputs=(Formal("y", "(K, C, pooled_height, pooled_width)"),),
    attributes=(
        # defaults (ascend-facts: roi-ir)
        Attribute("finest_scale", "INT", "scale in pixels below whose double level 0 is taken", 56, low=1),
        Attribute("roi_scale_factor", "FLOAT", "stored, not used by the kernel", 0.0),
        Attribute("spatial_scale", "FLOATS", "1 / stride per level", (1 / 4, 1 / 8, 1 / 16, 1 / 32), low=0.0),
        Attribute("pooled_height", "INT", "rows of the result", 7, low=1),
        Attribute("pooled_width", "INT", "columns of the result", 7, low=1),
        Attribute("sample_num", "INT", "samples per bin and axis, 0 for adaptive", 0),
        Attribute("pool_mode", "STRING", "avg, the only one", "avg"),
        Attribute("aligned", "INT", "1: shift by half a feature pixel", 1, low=0, high=1),
    ),
    infer=infer,
    sizes=sizes,
    remarks=remarks,
    semantics={"framework": framework, "ideal": ideal, "device": device},
)
