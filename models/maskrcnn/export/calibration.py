"""Fitting random weights to data: BN statistics, then the gain and bias of every prediction layer.

Layers are taken in the order in which data flows, so that each is fitted to what it will see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmdet.core import bbox2roi
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .predictors import predictors
from .stages import stages

if TYPE_CHECKING:
    from .predictors import Target
    from .stages import Features, Stage

#: Standard deviation and mean of each prediction over the calibration images. Photographs, with sharper
#: edges than the noise, spread class logits two to three times wider: scores of the 100 best boxes from 0.2 to 1.
CLASS_LOGITS = (0.7, 0.0)
BOX_DELTAS = (0.7, 0.0)
MASK_LOGITS = (2.0, 0.0)


def calibrate(model: Any, images: Tensor) -> None:
    """Fit ``model``, in evaluation mode and without gradients, to square images (B, 3, H, H) float32."""
    with _measuring(model):
        model.extract_feat(images)
    features = model.extract_feat(images)
    if not hasattr(model, "roi_head"):
        _fit_dense(model.bbox_head, features)
        return
    _fit_dense(model.rpn_head, features)
    metas = _metas(images)
    rois = bbox2roi(model.rpn_head.simple_test_rpn(features, metas))
    _fit_stages(model.roi_head, features, rois, metas[0])


def _metas(images: Tensor) -> list[dict[str, Any]]:
    """What mmdet wants to know of images that fill their canvas."""
    height, width = images.shape[2:]
    return [{"img_shape": (height, width, 3), "scale_factor": np.ones(4, np.float32)}] * len(images)


@contextmanager
def _measuring(model: nn.Module) -> Iterator[None]:
    """Let every BN normalise by, and remember, the statistics of the next batch."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.eval()
            norm.momentum = momentum


def _fit_dense(head: nn.Module, features: Features) -> None:
    """Fit the last layers of a head that predicts at every pixel of every level."""
    for predictor in predictors(head, features):
        _standardise(predictor.layer, predictor.target, lambda: head(features))


def _fit_stages(roi_head: Any, features: Features, rois: Tensor, meta: dict[str, Any]) -> None:
    """Fit the heads of every stage; a box head sees the boxes that the stage before it made."""
    some = rois[:: max(1, len(rois) // 64)]
    for stage in stages(roi_head):
        _fit_boxes(stage, features, rois)
        if stage.mask_head is not None:
            _fit_masks(stage, features, some)
        found = stage.run_boxes(features, rois)
        labels = found["cls_score"][:, :-1].argmax(dim=1)
        rois = stage.box_head.regress_by_class(rois, labels, found["bbox_pred"], meta)


def _fit_boxes(stage: Stage, features: Features, rois: Tensor) -> None:
    """Fit the class logits and box deltas of one stage."""
    _standardise(stage.box_head.fc_cls, CLASS_LOGITS, lambda: stage.run_boxes(features, rois))
    _standardise(stage.box_head.fc_reg, BOX_DELTAS, lambda: stage.run_boxes(features, rois))


def _fit_masks(stage: Stage, features: Features, rois: Tensor) -> None:
    """Fit the mask logits of one stage."""
    _standardise(stage.mask_head.conv_logits, MASK_LOGITS, lambda: stage.run_masks(features, rois))


def _standardise(layer: Any, target: Target, run: Callable[[], Any]) -> None:
    """Rescale a convolution or linear layer so that each output channel has the target's deviation and mean."""
    outputs: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    run()
    hook.remove()
    values = torch.cat([output.transpose(0, 1).flatten(1) for output in outputs], dim=1)
    deviation, mean = target
    gain = deviation / values.std(1).clamp_min(1e-6)
    layer.weight.mul_(gain.reshape(-1, *[1] * (layer.weight.ndim - 1)))
    layer.bias.copy_((layer.bias - values.mean(1)) * gain + mean)
