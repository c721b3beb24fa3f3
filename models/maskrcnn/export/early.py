"""What mmdet 2.8.0 lacks: from a two-stage detector's features to its boxes, as a graph that depends on no picture.

Its own exporter traces the test code: that has branches on the number of detections (none is an error), sorts by an
operator without a form in opset 11, and leaves shapes open. Here its layers, anchors and box coders are composed as
``onnx_export`` of mmdet 2.28.2 composes them, in opset 11, for one picture.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .errors import JobError

#: Classes whose test code is what is composed here.
KNOWN = {
    "detector": ("FasterRCNN", "MaskRCNN"),
    "rpn_head": ("RPNHead",),
    "roi_head": ("StandardRoIHead",),
    "bbox_head": ("BBoxHead", "ConvFCBBoxHead", "Shared2FCBBoxHead", "Shared4Conv1FCBBoxHead"),
    "mask_head": ("FCNMaskHead",),
}
HINT = "the default environment exports it: leave --env out"


def is_early(model: nn.Module) -> bool:
    """Whether the detector's mmdet has no export code."""
    return not hasattr(model, "onnx_export")


def check_early(model: Any, config: str, batch: int) -> None:
    """Refuse what is not composed here.

    Raises:
        JobError: it names ``config`` (for people) and the class that stands in the way.
    """
    roi_head = getattr(model, "roi_head", None)
    parts = {
        "detector": model,
        "rpn_head": getattr(model, "rpn_head", None),
        "roi_head": roi_head,
        "bbox_head": getattr(roi_head, "bbox_head", None),
        "mask_head": getattr(roi_head, "mask_head", None),
    }
    for part, module in parts.items():
        name = type(module).__name__
        if name not in KNOWN[part] and not (part == "mask_head" and module is None):
            raise JobError(f"config {config!r} has no ONNX export in mmdet 2.8.0: its {part} is {name}", HINT)
    if roi_head.bbox_head.reg_class_agnostic:
        raise JobError(f"config {config!r} has no ONNX export in mmdet 2.8.0: reg_class_agnostic", HINT)
    if batch > 1:
        raise JobError(f"batch {batch}: the export from mmdet 2.8.0 takes one picture", HINT)


def detect(model: Any, features: tuple[Tensor, ...], size: Any) -> tuple[Tensor, Tensor]:
    """Detect in one picture that fills its canvas of ``size`` [H, W].

    Returns:
        dets (1, N, 5) float32 x1 y1 x2 y2 score in pixels of the input and labels (1, N) int64; N is max_per_img, and
        where there are fewer detections the rest have score 0.
    """
    height, width = int(size[0]), int(size[1])
    proposals = _proposals(model.rpn_head, features, (height, width))
    roi_head = model.roi_head
    head, test = roi_head.bbox_head, roi_head.test_cfg
    rois = torch.cat([proposals.new_zeros(proposals.shape[0], 1), proposals], dim=1)
    found = roi_head._bbox_forward(features, rois)
    scores = functional.softmax(found["cls_score"], dim=-1)[:, : head.num_classes]
    boxes = head.bbox_coder.decode(rois[:, 1:], found["bbox_pred"], max_shape=(height, width))
    labels = torch.arange(head.num_classes).view(1, -1).expand_as(scores).reshape(-1)
    # Boxes of different classes are moved so far apart that they do not overlap.
    offsets = (labels * max(height, width) + 1).unsqueeze(1)
    options = (test.nms.get("iou_threshold", 0.5), test.score_thr, test.max_per_img)
    kept, kept_scores, places = _suppress(boxes.reshape(-1, 4) + offsets, scores.reshape(-1), *options)
    labels = labels[places]
    kept = kept - (labels * max(height, width) + 1).unsqueeze(1)
    return torch.cat([kept, kept_scores.unsqueeze(1)], dim=1).unsqueeze(0), labels.unsqueeze(0)


def _proposals(head: Any, features: tuple[Tensor, ...], size: tuple[int, int]) -> Tensor:
    """The RPN's boxes (nms_post, 4) in pixels; levels suppress each other, as in mmdet's later export."""
    scores_by_level, deltas_by_level = head(features)
    shapes = [level.shape[-2:] for level in scores_by_level]
    anchors_by_level = head.anchor_generator.grid_anchors(shapes, device="cpu")
    boxes, scores = [], []
    for logits, deltas, anchors in zip(scores_by_level, deltas_by_level, anchors_by_level):
        logits = logits.permute(0, 2, 3, 1).reshape(-1, head.cls_out_channels)
        level = logits.sigmoid()[:, 0] if head.use_sigmoid_cls else logits.softmax(-1)[:, 0]
        deltas = deltas.permute(0, 2, 3, 1).reshape(-1, 4)
        most = min(head.test_cfg.nms_pre, int(anchors.shape[0]))
        level, best = level.topk(most)
        boxes.append(head.bbox_coder.decode(anchors[best], deltas[best], max_shape=size))
        scores.append(level)
    test = head.test_cfg
    return _suppress(torch.cat(boxes), torch.cat(scores), test.nms_thr, 0.0, test.nms_post)[0]


def _suppress(
    boxes: Tensor, scores: Tensor, overlap: float, least: float, most: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The best of boxes (N, 4) with scores (N,): boxes, scores and places of ``most``, filled up with zeros."""
    kept = _Suppression.apply(
        boxes.unsqueeze(0),
        scores.view(1, 1, -1),
        torch.tensor([most]),
        torch.tensor([overlap], dtype=torch.float32),
        torch.tensor([least], dtype=torch.float32),
    )[:, 2]
    mask = scores.new_zeros(scores.shape)
    mask[kept] += 1
    scores, boxes = scores * mask, boxes * mask.unsqueeze(1)
    scores, places = scores.topk(min(most, int(scores.shape[0])))
    return boxes[places], scores, places


class _Suppression(torch.autograd.Function):
    """NonMaxSuppression of ONNX; while it is traced, any two boxes."""

    @staticmethod
    def forward(ctx: Any, boxes: Tensor, *_: Tensor) -> Tensor:
        return torch.tensor([[0, 0, 0], [0, 0, 1]])

    @staticmethod
    def symbolic(g: Any, *inputs: Any) -> Any:
        return g.op("NonMaxSuppression", *inputs)
