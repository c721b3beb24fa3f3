"""``BatchMultiClassNMS``: the record and its limits.

*framework* is mmdet 2.x. *ideal* is the vendor's own golden model (ascend-facts: nms-golden): boxes
without positive width and height are dropped (NaN with them), the union is clamped at 1e-12, and of equal scores the
lower class comes first. :mod:`convertkit_ascend.ops.as_heads` says so in switches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convertkit.api import heads
from convertkit_ascend.ops import nms_device
from convertkit_ascend.ops.as_heads import computes
from convertkit_ascend.ops.nms_device import KERNEL_BOXES
from convertkit_ascend.ops.vendor_op import Attribute, Fault, VendorOp

if TYPE_CHECKING:
    from convertkit.api.heads import Shape, Values

MOST_WITH_NUM_VALID = 1024
"""Boxes when num_valid_boxes is connected (ascend-facts: nms-limits)."""

LARGEST_CLASS = 2048
"""Class numbers above are not exact in float16, the only type of the classes on the 310P (ascend-facts: nms-fp16)."""


def sizes(attributes: Values, shapes: Sequence[Shape | None]) -> list[Fault]:
    """Faults of the shapes of boxes, scores, clip_window and num_valid_boxes."""
    lines = []
    boxes, scores = [*shapes, None, None][:2]
    for name, shape, rank in (("boxes", boxes, 4), ("scores", scores, 3)):
        if shape is not None and len(shape) != rank:
            lines.append(Fault(f"{name} must have rank {rank}, it has {len(shape)}"))
    if lines or boxes is None or scores is None:
        return lines
    if any(not isinstance(size, int) for size in (*boxes, *scores)):
        # the kernel is compiled for static shapes; a batch of -1 fails in the IR's infer-shape
        return [Fault("boxes and scores must have static shapes", is_open=True)]
    return [*map(Fault, _agreement(boxes, scores, counted=len(shapes) > 3 and shapes[3] is not None))]


def _agreement(boxes: Shape, scores: Shape, *, counted: bool) -> list[str]:
    lines = []
    if boxes[:2] != scores[:2]:
        lines.append(f"boxes {tuple(boxes)} and scores {tuple(scores)} differ in batch or number")
    if boxes[2] not in (1, scores[2]) or boxes[3] != 4:
        lines.append(f"boxes must be (B, N, 1 or {scores[2]}, 4), they are {tuple(boxes)}")
    if 0 in (*boxes, *scores):
        lines.append("no size may be 0")  # ascend-facts: atc-restrictions
    if counted and int(boxes[1] or 0) > MOST_WITH_NUM_VALID:
        lines.append(f"with num_valid_boxes at most {MOST_WITH_NUM_VALID} boxes are taken, not {boxes[1]}")
    return lines


L1_BYTES = 1 << 20
"""Of the 310P (``Ascend310P3.ini`` of CANN 8.1.RC1)."""


def remarks(attributes: Values, shapes: Sequence[Shape | None]) -> list[str]:
    """What the 310P does differently from the ideal."""
    lines = []
    boxes, scores = [*shapes, None, None][:2]
    if boxes and isinstance(boxes[1], int) and boxes[1] > KERNEL_BOXES:
        lines.append(f"only the best {KERNEL_BOXES} of {boxes[1]} boxes per class take part")
    if scores and isinstance(scores[-1], int) and scores[-1] > LARGEST_CLASS + 1:
        lines.append(f"classes above {LARGEST_CLASS} are not exact in float16")
    lines += _l1(attributes, scores)
    total = attributes.get("max_total_size", 0)
    if nms_device.counts_all_but_one(total):
        lines.append(f"with max_total_size {total} nmsed_num does not count the last slot")
    return lines


def _l1(attributes: Values, scores: Shape | None) -> list[str]:
    """``init_tik_mem``: on an AI core the kept rows of all classes, 8 fp16 values each, lie in L1."""
    classes, most = scores[-1] if scores else None, attributes.get("max_size_per_class", 0)
    if not isinstance(classes, int):
        return []
    need = classes * nms_device.reserved(most) * 16
    if need <= L1_BYTES:
        return []
    return [f"{classes} classes of {most} boxes need {need} bytes of L1, an AI core has {L1_BYTES}"]


BATCH_MULTI_CLASS_NMS = VendorOp(
    name="BatchMultiClassNMS",
    doc="Suppress overlapping boxes per class, then keep the best of all classes.",
    inputs=heads.MULTICLASS_NMS.inputs,
    outputs=heads.MULTICLASS_NMS.outputs,  # the IR has all four whatever the node says
    # change_coordinate_frame and transpose_box are no attributes here: the ONNX plugin does not read them; image_size
    # is none because it may choose another kernel, whose numerics are not known (ascend-facts: nms-norm-class).
    attributes=(
        # below 0 the kernel's empty slots (score 0) would count as found
        Attribute("score_threshold", "FLOAT", "keep what scores above", low=0.0),
        Attribute("iou_threshold", "FLOAT", "suppress what overlaps more", low=0.0, high=1.0),
        # ascend-facts: nms-limits
        Attribute("max_size_per_class", "INT", "keep so many of a class", low=1, high=1000),
        Attribute("max_total_size", "INT", "keep so many in all: T", low=1, high=1000),
    ),
    infer=heads.MULTICLASS_NMS.infer,
    sizes=sizes,
    remarks=remarks,
    semantics={
        "framework": computes("BatchMultiClassNMS", "framework"),
        "ideal": computes("BatchMultiClassNMS", "ideal"),
        "device": nms_device.device,
    },
)
