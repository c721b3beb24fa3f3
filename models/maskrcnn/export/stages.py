"""The stages of a RoI head under one signature: one in Faster and Mask R-CNN, several in a cascade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    Features = tuple[Tensor, ...]


@dataclass(frozen=True)
class Stage:
    """One box head with, where the detector has masks, its mask head.

    ``run_boxes(features, rois)`` gives mmdet's dictionary with ``cls_score`` and ``bbox_pred``,
    ``run_masks(features, rois)`` one with ``mask_pred``; rois are (N, 5) float32, image index x1 y1 x2 y2.
    """

    box_head: Any
    mask_head: Any
    run_boxes: Callable[[Features, Tensor], dict[str, Tensor]]
    run_masks: Callable[[Features, Tensor], dict[str, Tensor]]


def stages(roi_head: Any) -> list[Stage]:
    """List the stages in the order in which boxes pass through them."""
    masks = roi_head.mask_head if roi_head.with_mask else None
    if not isinstance(roi_head.bbox_head, nn.ModuleList):
        return [Stage(roi_head.bbox_head, masks, roi_head._bbox_forward, roi_head._mask_forward)]
    return [
        Stage(
            head,
            None if masks is None else masks[index],
            partial(roi_head._bbox_forward, index),
            partial(roi_head._mask_forward, index),
        )
        for index, head in enumerate(roi_head.bbox_head)
    ]
