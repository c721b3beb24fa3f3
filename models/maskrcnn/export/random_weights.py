"""Weights for trying a pipeline without a checkpoint: seeded, and scaled so that the detector detects.

mmdet's initial weights alone give next to no detections: box scores are all alike near 1/81 and the last BN of every
residual block is zero. So BN statistics and the gains of the prediction layers are calibrated on seeded noise
with the spectrum of photographs, layer by layer. The result has no meaning, but activations of the size a trained
network has (well inside fp16) and about a hundred detections per image. It depends on the seed and the config alone,
not on the input size, for the same torch on the same kind of CPU.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from .calibration import calibrate
from .photo_noise import Normalisation, photo_noise

#: Gain of the last BN in a residual block, where mmdet starts with 0.
RESIDUAL_GAIN = 0.4


def randomise(model: nn.Module, seed: int, normalisation: Normalisation) -> None:
    """Give ``model`` seeded weights with which it yields detections in photos that are so normalised."""
    seed_everything(seed)
    threads = torch.get_num_threads()
    # Sums over parts depend on their number: one thread gives the same bytes everywhere.
    torch.set_num_threads(1)
    try:
        _initialise(model)
        with torch.no_grad():
            calibrate(model, normalisation.of_noise(photo_noise(seed)))
    finally:
        torch.set_num_threads(threads)
    model.eval()


def seed_everything(seed: int) -> None:
    """Seed every generator that mmdet draws from: before building too, for what ``init_weights`` leaves alone."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _initialise(model: Any) -> None:
    """Run mmdet's initialisation and undo its zero gains."""
    model.init_weights()
    for module in model.backbone.modules():
        if isinstance(module, _BatchNorm) and bool((module.weight == 0).all()):
            nn.init.constant_(module.weight, RESIDUAL_GAIN)
