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
* Where the image's index is not whole, all three take the floor, as the dynamic kernel does (the static one: ceil).
* The reciprocals are computed by the host's tiling code, which is closed. Chosen: fp32 division.
* roi_scale_factor is stored and not used (ascend-facts: roi-ir): no semantics uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from convertkit.api import heads
from convertkit_ascend.ops import as_heads, roi_levels
from convertkit_ascend.ops.vendor_op import Attribute, Fault, VendorOp

if TYPE_CHECKING:
    from convertkit.api.heads import Inputs, Node, Outputs, Shape, Values

MOST_LEVELS = 8
"""The tiling data of ``impl/dynamic/roi_extractor.py`` (``get_tiling_args``) has eight places per quantity."""

LARGEST_FLOAT16 = 65504.0


def device(inputs: Inputs, attributes: Values) -> Outputs:
    """The 310P kernel in fp16; the result has the type of the features, every value is exact in fp16."""
    *features, rois = heads.arrays(inputs)
    with np.errstate(over="ignore"):
        rounded = [item.astype(np.float16) for item in (*features, rois)]
        scales = [float(np.float16(item)) for item in attributes["spatial_scale"]]
        values = {**as_heads.roi_align(attributes, "ideal"), "spatial_scale": scales}
        (pooled,) = heads.pool_by(roi_levels.device, rounded, values, reciprocal=True)
    return (pooled.astype(features[0].dtype),)


def infer(node: Node) -> None:
    """Output ``(K, C, pooled_height, pooled_width)`` of the features' type."""
    if node.attributes["pool_mode"] != "avg":
        node.refuse("pool_mode must be avg")
    heads.infer_bins(node, node.attributes["pooled_height"], node.attributes["pooled_width"])


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
        lines.append("image numbers above 2048 are not exact in float16")
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
    inputs=heads.MULTILEVEL_ROI_ALIGN.inputs,
    outputs=heads.MULTILEVEL_ROI_ALIGN.outputs,
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
    semantics={
        "framework": as_heads.computes("RoiExtractor", "framework"),
        "ideal": as_heads.computes("RoiExtractor", "ideal"),
        "device": device,
    },
)
