"""``BatchMultiClassNMS`` as the 310P kernel computes it: fp16, boxes scaled by 0.1.

Read in source, not seen on hardware. The source is ``batch_multi_class_non_max_suppression.py`` of CANN 8.1.RC1
(ascend-facts: nms-kernel); function names below are its own.

Left open by the source, and chosen:

* ``vrpac`` (area) and ``viou`` (intersection) are instructions: how they round inside is not written. Chosen: every
  step (difference, + 1, product) rounds to fp16, and negative sides count as 0 in both, so that a box which encloses
  nothing suppresses nothing. Without clip_window the kernel does not drop such boxes (*ideal* does).
* The order of equal scores in ``vrpsort16``/``vmrgsort4`` is not promised. Chosen: lower box first, lower class first.
* Classes of unused slots are not masked: they show the class of a candidate below the threshold, or of the empty row
  that was sorted there. Chosen: empty rows behind candidates, by class; 0 where there is no row at all. Do not use.
* NaN is not treated. Chosen: a NaN score comes last and is above no threshold, a NaN box overlaps nothing. Slots below
  the threshold are not set to 0 but multiplied by it (``batch_multi_class_nms_copy_out``), so a corner or score that is
  not finite there comes out as NaN: 1e6 is infinite in fp16.
* The kernel's scale, once set to 1 by a small clip_window, stays 1 for later images on the same core; here it
  belongs to its image. num_valid_boxes outside 0..N is cut to that range.
* The monotone remapping of scores by a newer fusion pass (ascend-facts: nms-fusion) is not applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api.heads import Found, ImageInputs, Options, by_image, by_score, greedy, outputs

if TYPE_CHECKING:
    from convertkit.api.heads import Indices, Inputs, Mask, Outputs, Rows, Test, Values

Float16: TypeAlias = NDArray[np.float16]

DOWN = np.float16(0.1)
"""``DOWN_FACTOR``: against overflow of areas in fp16."""

UP = np.float16(10.0)
"""``1 / DOWN_FACTOR``."""

KERNEL_BOXES = min(262144 // 4 // 16, 255 * 16)
"""4,080: ``proposal_topk_k`` with the unified buffer of 262,144 bytes of the 310P (ascend-facts: nms-4080)."""

SMALL_WINDOW = 200 * 200
"""``read_window_compute``: below this area of the window the boxes are not scaled."""

ROUND_UP = 16
"""``RPN_PROPOSAL_NUM``: rows reserved per class come in multiples of it."""


def device(inputs: Inputs, attributes: Values, *, high_precision: bool = False) -> Outputs:
    """The kernel's result, in the type of the boxes (every value is exact in fp16).

    Args:
        high_precision: the implementation mode of that name. It looks at further blocks of 4,080 boxes only if
            there are at least three (``tool_loop >= 3``), and never at the last one.
    """
    options = Options.of(attributes)
    with np.errstate(all="ignore"):
        found = [_image(Reduced.of(item), item, options, high_precision) for item in by_image(inputs)]
    assert inputs[0] is not None
    return outputs(found, options.max_total_size, inputs[0].dtype)


def considered(count: int, high_precision: bool) -> int:
    """How many of ``count`` boxes of a class can be kept at all (``nms_for_single_class``)."""
    blocks = -(-count // KERNEL_BOXES)
    return KERNEL_BOXES * (blocks - 1 if high_precision and blocks >= 3 else 1)


def counts_all_but_one(total: int) -> bool:
    """Whether the sum in ``filter_score_compute`` forgets the last of so many slots (``repeat_tail != 1``)."""
    return total > 128 and total % 128 == 1


def reserved(most: int) -> int:
    """Rows that one class has (``max_selected_nms_num_in_ub``)."""
    return -(-most // ROUND_UP) * ROUND_UP


@dataclass(frozen=True)
class Reduced:
    """The factors before and after the suppression."""

    down: np.float16
    up: np.float16

    @classmethod
    def of(cls, image: ImageInputs) -> Reduced:
        """0.1 and 10, or 1 and 1 for a small clip_window."""
        if image.window is None or not np.all(np.isfinite(image.window)):
            return cls(DOWN, UP)
        height, width = np.rint(image.window[2:].astype(np.float16).astype(np.float64))
        small = height * width < SMALL_WINDOW
        return cls(np.float16(1), np.float16(1)) if small else cls(DOWN, UP)


def _image(reduced: Reduced, image: ImageInputs, options: Options, high_precision: bool) -> Found:
    kept = [_class(image, kind, reduced, options, high_precision) for kind in range(image.classes)]
    corners = np.concatenate([item for item, _ in kept])
    scores = np.concatenate([item for _, item in kept])
    kinds = np.repeat(np.arange(image.classes), len(scores) // image.classes)
    order = by_score(scores)[: options.max_total_size]
    return _copy_out(corners[order], scores[order], kinds[order], reduced, options)


def _class(
    image: ImageInputs, kind: int, reduced: Reduced, options: Options, high_precision: bool
) -> tuple[Float16, Float16]:
    """``(R, 4)`` and ``(R,)``: the rows reserved for one class, those kept first, then empty ones.

    No threshold on scores yet: it comes last (``filter_score_compute``) and keeps the same boxes, because a box
    below it is worse than all above it.
    """
    corners, scores = _prepared(image, kind, reduced)
    order = by_score(scores)[: considered(len(scores), high_precision)]
    kept = order[greedy(_rows(corners[order]), overlaps(options.iou_threshold), options.max_size_per_class)]
    size = reserved(options.max_size_per_class)
    rows, values = np.zeros((size, 4), np.float16), np.zeros(size, np.float16)
    rows[: len(kept)], values[: len(kept)] = corners[kept], scores[kept]
    return rows, values


def _prepared(image: ImageInputs, kind: int, reduced: Reduced) -> tuple[Float16, Float16]:
    """``get_sorted_proposal_compute`` without its sort: clip, scale, mask, x2 - 1 and y2 - 1."""
    corners = _clipped(image, image.boxes_of(kind).astype(np.float16))
    scores = image.scores[:, kind].astype(np.float16)
    if image.window is not None:
        # ``clip_window_compute``: score 0 where the area is not positive, and only with a window
        area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
        scores = scores * (area > 0)
    scores = scores * image.valid
    corners = corners * reduced.down
    corners[:, 2:] -= np.float16(1)  # the instructions take corners as inclusive pixels
    return corners, scores


def _clipped(image: ImageInputs, corners: Float16) -> Float16:
    """Exact in fp16: every value is one of those compared."""
    if image.window is None:
        return corners
    window = ImageInputs(image.boxes, image.scores, image.window.astype(np.float16), image.valid)
    return window.clipped(corners.astype(np.float32)).astype(np.float16)


def _copy_out(corners: Float16, scores: Float16, kinds: Indices, reduced: Reduced, options: Options) -> Found:
    """``batch_multi_class_nms_copy_out``."""
    valid = scores + -np.float16(options.score_threshold) > 0
    mask = valid.astype(
        np.float16
    )  # a factor of 0 or 1: what overflowed in a slot below the threshold is NaN
    near = corners[:, :2] * mask[:, None] * reduced.up
    far = (corners[:, 2:] + np.float16(1)) * reduced.up * mask[:, None]
    count = int(valid.sum())
    if counts_all_but_one(options.max_total_size) and len(valid) == options.max_total_size:
        count -= int(valid[-1])
    return Found(np.concatenate([near, far], axis=1), scores * mask, kinds, count)


def _rows(corners: Float16) -> Rows:
    """Inclusive corners and the area in fp16, stored as float32."""
    sides = np.maximum(_plus_one(corners[:, 2:] - corners[:, :2]), np.float16(0))
    area = sides[:, 0] * sides[:, 1]
    return np.concatenate([corners, area[:, None]], axis=1).astype(np.float32)


def _plus_one(extent: NDArray[Any]) -> Float16:
    return extent.astype(np.float16) + np.float16(1)


def overlaps(threshold: float) -> Test:
    """inter > fp16(t / (1 + t)) * (a + b), each operation in fp16 (``do_nms_compute``).

    fp16 is slow on a CPU, so a bound in fp32 picks the pairs that may pass, and only those are computed in fp16.
    The bound is safe: with u = 2**-11 a side is at most (1 + 2u) d + 1 + 2u, d being the exact difference, and the
    right-hand side at least (1 - 2u) t (a + b), less than 1e-7 lost where fp16 is subnormal.
    """
    factor = np.float16(threshold / (1 + threshold))

    def suppresses(better: Rows, worse: Rows) -> Mask:
        result: Mask = _may_overlap(better, worse, np.float32(factor))
        first, second = np.nonzero(result)
        result[first, second] = _overlap(better[first], worse[second], factor)
        return result

    return suppresses


def _may_overlap(better: Rows, worse: Rows, factor: np.float32) -> Mask:
    inter = _bound(better, worse, 0)
    inter *= _bound(better, worse, 1)
    join = better[:, 4, None] + worse[:, 4]
    join *= factor * np.float32(0.998)
    join -= np.float32(1e-6)
    return (inter > join) & (inter > 0)


def _bound(better: Rows, worse: Rows, axis: int) -> NDArray[np.float32]:
    extent = np.minimum(better[:, axis + 2, None], worse[:, axis + 2])
    extent -= np.maximum(better[:, axis, None], worse[:, axis])
    extent *= np.float32(1.002)
    extent += np.float32(1.004)
    return np.maximum(extent, np.float32(0), out=extent)


def _overlap(better: Rows, worse: Rows, factor: np.float16) -> Mask:
    """``(K,) bool``: the test itself, pair by pair."""
    sides = np.minimum(better[:, 2:4], worse[:, 2:4]) - np.maximum(better[:, :2], worse[:, :2])
    sides16 = np.maximum(_plus_one(sides), np.float16(0))
    join = better[:, 4].astype(np.float16) + worse[:, 4].astype(np.float16)
    result: Mask = sides16[:, 0] * sides16[:, 1] > join * factor
    return result
