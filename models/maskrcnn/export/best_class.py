"""YOLOX's stock graph: mmdet has no export of its own for its head, so its test code is traced, up to its NMS.

A box is of its best class only. ``batched_nms`` keeps classes apart by moving boxes, whose length is that of what is
found; here the NMS operator takes classes apart by itself, a box having a score in its own class and 0 in the others,
and fills a fixed number of slots, as mmdet's exports of other heads do. No box is moved, so none is rounded.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

#: Heads of this kind, by the name of their class.
HEADS = ("YOLOXHead",)
#: Slots of an image without ``max_per_img``, which mmdet's head does not know: COCO scores the best 100.
SLOTS = 100


def has_best_class(model: nn.Module) -> bool:
    """Whether the detector's head is of this kind."""
    kinds = type(getattr(model, "bbox_head", None)).__mro__
    return any(kind.__name__ in HEADS for kind in kinds)


class BestClassDetector(nn.Module):
    """``simple_test`` of a detector with such a head, with a fixed number of slots; boxes are of the input."""

    outputs = ("dets", "labels")

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Detect in B normalised images (B, 3, H, W) float32.

        dets (B * N, 5) float32 x1 y1 x2 y2 score in pixels of the input, labels (B * N,) int64, image by image, best
        score first; N is ``max_per_img`` or SLOTS, and empty slots are zeros.
        """
        from mmdet.core.export import add_dummy_nms_for_onnx  # releases without YOLOX have none

        model: Any = self.model
        head = copy.copy(model.bbox_head)
        head._bboxes_nms = _candidates
        metas = [{"scale_factor": 1.0}] * len(image)
        found = head.get_bboxes(*head(model.extract_feat(image)), metas)
        boxes, scores = (torch.stack(part) for part in zip(*found))
        test = head.test_cfg
        dets, labels = add_dummy_nms_for_onnx(
            boxes,
            scores,
            boxes.shape[1],
            test.nms.iou_threshold,
            test.score_thr,
            -1,
            test.get("max_per_img", SLOTS),
        )
        return dets.reshape(-1, 5), labels.reshape(-1)


def _candidates(classes: Tensor, boxes: Tensor, factor: Tensor, cfg: Any) -> tuple[Tensor, Tensor]:
    """In place of ``_bboxes_nms``: boxes (M, 4), and their scores (M, C), 0 where a class is not a box's best.

    Args:
        classes: (M, C) probabilities. factor: (M,) objectness.
    """
    best, labels = torch.max(classes, 1)
    own = labels[:, None] == torch.arange(classes.shape[1], device=labels.device)
    return boxes, (best * factor)[:, None] * own.to(boxes)
