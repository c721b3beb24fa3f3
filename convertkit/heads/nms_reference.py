"""``MulticlassNms`` in fp32.

* Score > threshold; IoU = inter / (a + b - inter) > threshold suppresses; both strict.
* A box that encloses nothing, or has a NaN or infinite coordinate, overlaps nothing: it is kept if it scores, unless
  ``drop_empty`` takes away what has no positive width and height.
* Frameworks keep classes apart by adding ``class * (largest coordinate + 1)`` to the boxes. Here they are apart without
  that shift, whose rounding (0.002 px at 25,000) is an accident of the implementation, not of the model.
* mmdet (``multiclass_nms`` + ``batched_nms`` over mmcv's ``nms``, offset 0) has no limit per class;
  ``max_size_per_class`` is applied all the same, as ONNX ``NonMaxSuppression`` does.
* Equal scores with ``ties=box``: lower box first, then lower class, the order in which mmdet flattens (N, C). PyTorch's
  sort is not stable, so mmdet itself promises nothing there. With ``ties=class``: lower class first, then lower box, as
  where classes are concatenated and then sorted.

Left open by the sources, and chosen:

* clip_window cuts the boxes before everything else; num_valid_boxes removes the boxes behind. What clipping leaves
  without area is kept unless ``drop_empty``.
* NaN scores are above no threshold. +inf is above every one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.heads.nms_inputs import Found, ImageInputs, Options, by_image, outputs
from convertkit.heads.operator import Inputs, Outputs, Values
from convertkit.heads.overlap import Indices, Mask, Rows, Test, by_score, greedy

Float32: TypeAlias = NDArray[np.float32]


def suppress(inputs: Inputs, attributes: Values) -> Outputs:
    """The operator in fp32; shapes as in its record."""
    options = Options.of(attributes)
    smallest = np.float32(attributes["smallest_union"]) if attributes["smallest_union"] else None
    test = overlaps(options.iou_threshold, smallest)
    takes = _with_area if attributes["drop_empty"] else _everything
    with np.errstate(all="ignore"):
        found = [_image(item, options, test, takes, attributes["ties"] == "box") for item in by_image(inputs)]
    assert inputs[0] is not None
    return outputs(found, options.max_total_size, inputs[0].dtype)


def _image(
    image: ImageInputs, options: Options, test: Test, takes: Callable[[Float32], Mask], box_by_box: bool
) -> Found:
    kept = [_class(image, kind, options, test, takes) for kind in range(image.classes)]
    box = np.concatenate([item for item, _ in kept])
    kinds = np.repeat(np.arange(image.classes), [len(item) for item, _ in kept])
    corners = np.concatenate([item for _, item in kept])
    scores = image.scores[box, kinds]
    # stable, so that what comes first here comes first among equals
    first = np.lexsort((kinds, box)) if box_by_box else np.arange(len(box))
    order = first[by_score(scores[first])][: options.max_total_size]
    return Found(corners[order], scores[order], kinds[order])


def _class(
    image: ImageInputs, kind: int, options: Options, test: Test, takes: Callable[[Float32], Mask]
) -> tuple[Indices, Float32]:
    """``(K,)`` indices of the boxes kept for one class, and ``(K, 4)`` the boxes."""
    scores, boxes = image.scores[:, kind], image.clipped(image.boxes_of(kind))
    chosen = np.flatnonzero((scores > options.score_threshold) & image.valid & takes(boxes))
    chosen = chosen[by_score(scores[chosen])]
    kept = greedy(_rows(boxes[chosen]), test, options.max_size_per_class)
    return chosen[kept], boxes[chosen[kept]]


def _everything(boxes: Float32) -> Mask:
    return np.ones(len(boxes), np.bool_)


def _with_area(boxes: Float32) -> Mask:
    """Width and height must be positive."""
    positive: Mask = np.all(boxes[:, 2:] - boxes[:, :2] > 0, axis=1)
    return positive


def _rows(boxes: Float32) -> Rows:
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.concatenate([boxes, area[:, None]], axis=1)


def overlaps(threshold: float, smallest_union: np.float32 | None) -> Test:
    """IoU > threshold in fp32, operation by operation as written in mmcv."""
    limit = np.float32(threshold)

    def suppresses(better: Rows, worse: Rows) -> Mask:
        width = _extent(better, worse, 0)
        width *= _extent(better, worse, 1)
        union = better[:, 4, None] + worse[:, 4]
        union -= width
        if smallest_union is not None:
            np.maximum(union, smallest_union, out=union)
        np.divide(width, union, out=union)
        return union > limit

    return suppresses


def _extent(better: Rows, worse: Rows, axis: int) -> Float32:
    """``(M, N)``: how far two boxes overlap along one axis."""
    extent = np.minimum(better[:, axis + 2, None], worse[:, axis + 2])
    extent -= np.maximum(better[:, axis, None], worse[:, axis])
    return np.maximum(extent, np.float32(0), out=extent)
