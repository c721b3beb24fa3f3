"""Weights for trying a pipeline without a checkpoint: seeded, and scaled so that the detector detects.

mmdet's initial weights alone give next to no detections: box scores are all alike near 1/81 and the last BN of every
residual block is zero. So BN statistics and the gains of the prediction layers are calibrated on seeded noise
with the spectrum of photographs, layer by layer. The result has no meaning, but activations of the size a trained
network has (well inside fp16) and about a hundred detections per image. It depends on the seed and the config alone,
not on the input size, for the same torch on the same kind of CPU.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmdet.core import bbox2roi
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

#: Side of the square noise image in pixels, and the number of images.
SIDE, IMAGES = 384, 2
#: Gain of the last BN in a residual block, where mmdet starts with 0.
RESIDUAL_GAIN = 0.4
#: Standard deviation and mean of each prediction over the calibration images. Photographs, with sharper
#: edges than the noise, spread class logits two to three times wider: scores of the 100 best boxes from 0.2 to 1.
TARGETS = {
    "objectness": (1.5, -1.0),
    "anchor deltas": (0.25, 0.0),
    "class logits": (0.7, 0.0),
    "box deltas": (0.7, 0.0),
    "mask logits": (2.0, 0.0),
}


def randomise(model: nn.Module, seed: int) -> None:
    """Give ``model`` seeded weights with which it yields detections."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    threads = torch.get_num_threads()
    # Sums over parts depend on their number: one thread gives the same bytes everywhere.
    torch.set_num_threads(1)
    try:
        _initialise(model)
        with torch.no_grad():
            _calibrate(model, photo_noise(seed))
    finally:
        torch.set_num_threads(threads)
    model.eval()


def photo_noise(seed: int) -> Tensor:
    """Make noise whose amplitude falls with frequency as in photographs: (IMAGES, 3, SIDE, SIDE) float32.

    Normalised as a network's input is: mean 0, standard deviation 1 per image.
    """
    source = torch.Generator().manual_seed(seed)
    total = torch.zeros(IMAGES, 3, SIDE, SIDE)
    cells = 3
    while cells <= SIDE:
        grid = torch.randn(IMAGES, 3, cells, cells, generator=source)
        octave = functional.interpolate(grid, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        total += octave / cells**0.5
        cells *= 2
    mean, deviation = total.mean((1, 2, 3), keepdim=True), total.std((1, 2, 3), keepdim=True)
    return (total - mean) / deviation


def _initialise(model: Any) -> None:
    """Run mmdet's initialisation and undo its zero gains."""
    model.init_weights()
    for module in model.backbone.modules():
        if isinstance(module, _BatchNorm) and bool((module.weight == 0).all()):
            nn.init.constant_(module.weight, RESIDUAL_GAIN)


def _calibrate(model: Any, images: Tensor) -> None:
    """Set BN statistics and prediction gains, in the order in which data flows."""
    with _measuring(model):
        model.extract_feat(images)
    features = model.extract_feat(images)
    head, roi_head = model.rpn_head, model.roi_head
    _standardise(head.rpn_cls, "objectness", lambda: head(features))
    _standardise(head.rpn_reg, "anchor deltas", lambda: head(features))
    rois = bbox2roi(_proposals(head, features, len(images)))
    _standardise(roi_head.bbox_head.fc_cls, "class logits", lambda: roi_head._bbox_forward(features, rois))
    _standardise(roi_head.bbox_head.fc_reg, "box deltas", lambda: roi_head._bbox_forward(features, rois))
    if roi_head.with_mask:
        some = rois[:: max(1, len(rois) // 64)]
        _standardise(
            roi_head.mask_head.conv_logits, "mask logits", lambda: roi_head._mask_forward(features, some)
        )


@contextmanager
def _measuring(model: nn.Module) -> Any:
    """Let every BN normalise by, and remember, the statistics of the next batch."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.eval()
            norm.momentum = momentum


def _proposals(head: Any, features: tuple[Tensor, ...], count: int) -> list[Tensor]:
    """Run mmdet's own proposal stage on square images of SIDE pixels."""
    metas = [{"img_shape": (SIDE, SIDE, 3), "scale_factor": np.ones(4, np.float32)}] * count
    found: list[Tensor] = head.simple_test_rpn(features, metas)
    return found


def _standardise(layer: nn.Module, target: str, run: Callable[[], Any]) -> None:
    """Rescale a convolution or linear layer so that each output channel has the target's deviation and mean."""
    outputs: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    run()
    hook.remove()
    values = torch.cat([output.transpose(0, 1).flatten(1) for output in outputs], dim=1)
    deviation, mean = TARGETS[target]
    gain = deviation / values.std(1).clamp_min(1e-6)
    layer.weight.mul_(gain.reshape(-1, *[1] * (layer.weight.ndim - 1)))
    layer.bias.copy_((layer.bias - values.mean(1)) * gain + mean)
