"""Nearest Resize: the chip's rounding is the plain one, whatever ``nearest_mode`` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.view import Node, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAIN = ("asymmetric", "tf_half_pixel_for_nn")
"""Modes that become floor(i * in / out); align_corners and the half_pixel modes keep their meaning (table, Resize)."""

_TIE = 1e-5
"""Pixels by which float32 may miss a half that onnxruntime takes for one."""


@rule("resize-rounding", fix="export with nearest_mode floor", source="onnx_ops.json, Resize")
def rounding(view: View) -> Iterator[Spot]:
    """Nearest Resize takes the pixels that the chip takes."""
    for node in view.nodes:
        if node.op != "Resize" or node.attribute("mode") != "nearest":
            continue
        if node.attribute("coordinate_transformation_mode") in PLAIN and same_as_floor(node) is False:
            yield Spot.at(
                node, f"nearest_mode {node.attribute('nearest_mode')} is not read: the chip rounds down"
            )


def same_as_floor(node: Node) -> bool | None:
    """Whether a nearest Resize takes pixel floor(i * in / out) everywhere; None where sizes are not known."""
    before, after = node.view.static(node.input(0)), node.view.static(node.outputs[0])
    scales = node.view.constant(node.input(2))
    if before is None or after is None:
        return None
    for axis, (size, wanted) in enumerate(zip(before, after, strict=True)):
        scale = wanted / size if scales is None or scales.size == 0 else float(scales[axis])
        if scale == 1:  # onnxruntime copies, whatever the modes; so does the plain rule
            continue
        taken = _onnx_pixels(node, size, wanted, scale)
        if taken is None:
            return None
        if not np.array_equal(taken, np.arange(wanted) * size // wanted):
            return False
    return True


def _onnx_pixels(node: Node, size: int, wanted: int, scale: float) -> NDArray[np.int64] | None:
    """Which input pixel ONNX takes for each output pixel along one axis (ONNX, Resize), in float32 as onnxruntime."""
    place: NDArray[np.float32] = np.arange(wanted, dtype=np.float32)
    step, last = np.float32(scale), np.float32(size - 1)
    mode = node.attribute("coordinate_transformation_mode")
    if mode == "asymmetric":
        source = place / step
    elif mode in ("half_pixel", "pytorch_half_pixel"):
        source = (place + 0.5) / step - 0.5 if mode == "half_pixel" or wanted > 1 else place * 0.0
    elif mode == "tf_half_pixel_for_nn":
        source = (place + 0.5) / step
    elif mode == "align_corners":
        source = place * last / np.float32(max(wanted - 1, 1))
    else:
        return None
    rounded = {
        "floor": np.floor(source),
        "ceil": np.ceil(source),
        "round_prefer_floor": np.ceil(source - (0.5 + _TIE)),
        "round_prefer_ceil": np.floor(source + (0.5 + _TIE)),
    }[node.attribute("nearest_mode")]
    return np.asarray(np.clip(rounded, 0, size - 1), np.int64)
