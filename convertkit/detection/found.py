"""Detections of the network input as detections of the original photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.detection.boxes import clip
from convertkit.detection.letterbox import unletterbox_boxes
from convertkit.detection.types import Detections
from convertkit.errors import GraphError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.settings import PostprocessSpec
    from convertkit.detection.types import Placement


def detections(sets: Mapping[str, NDArray[Any]], placement: Placement, spec: PostprocessSpec) -> Detections:
    """Keep the slots above the score threshold, and paste each mask once, at the photo's own resolution.

    Boxes are reported clipped to the picture, as mmdet does; its export has clipped them to the canvas only. A mask is
    pasted into the box it was predicted for, before that clip.

    Args:
        sets: ``dets`` ``(N, 5) x1 y1 x2 y2 score, pixels of the network input``; ``labels`` ``(N,)`` class indices; and
            where the model has them ``masks``, probabilities, ``(N, classes, h, w)``, or ``(N, h, w)`` where the graph
            has chosen the predicted class already.
        placement: what the letterbox of this photo recorded.
        spec: the thresholds; a slot is kept where its score is greater, as in mmdet.

    Returns:
        Detections in pixels of the original photo, in the order of the slots.

    Raises:
        GraphError: masks are not of these classes, or a score is not a number.
    """
    dets, labels, masks = sets["dets"], sets["labels"], sets.get("masks")
    scores = dets[:, 4].astype(np.float32)
    if np.isnan(scores).any():
        raise GraphError("the graph returned a score that is not a number")
    kept = np.flatnonzero(scores > spec.score_threshold)
    chosen = labels[kept].astype(np.int64)
    boxes = unletterbox_boxes(dets[kept, :4].astype(np.float32), placement)
    height, width = placement.source_height, placement.source_width
    clipped = clip(boxes, height, width)
    if masks is None:
        return Detections(clipped, scores[kept], chosen)
    from convertkit.detection.masks import paste  # pycocotools only for a model with masks

    pasted = paste(_of_class(masks, kept, chosen), boxes, height, width, spec.mask_threshold)
    return Detections(clipped, scores[kept], chosen, tuple(pasted))


def _of_class(masks: NDArray[Any], kept: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """``(K, h, w) float32``: the masks of the kept slots, each that of its predicted class."""
    if masks.ndim == 3:
        return masks[kept].astype(np.float32, copy=False)
    if masks.ndim != 4:
        raise GraphError(f"masks {masks.shape} are neither (N, classes, h, w) nor (N, h, w)")
    classes = masks.shape[1]
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise GraphError(f"labels {labels.min()}..{labels.max()}, but masks of {classes} classes")
    return masks[kept, labels].astype(np.float32, copy=False)
