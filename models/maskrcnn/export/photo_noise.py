"""Noise with the spectrum of photographs, as a network sees it: what random weights are fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

#: Side of the square noise image in pixels, and the number of images.
SIDE, IMAGES = 384, 2

if TYPE_CHECKING:
    Levels = tuple[float, ...]


@dataclass(frozen=True)
class Normalisation:
    """A pipeline's ``(pixel - mean) / std``: three channels in the order the network sees, 0..255 units."""

    mean: Levels
    std: Levels
    to_rgb: bool = True

    def of_noise(self, noise: Tensor) -> Tensor:
        """Turn noise (B, 3, H, W) with mean 0 and deviation 1 into what this makes of photos like ImageNet's."""
        if self == IMAGENET:
            return noise
        order = 1 if self.to_rgb else -1
        mean, std = (torch.tensor(values[::order]) for values in (IMAGENET.mean, IMAGENET.std))
        pixels = noise * std.reshape(-1, 1, 1) + mean.reshape(-1, 1, 1)
        return (pixels - torch.tensor(self.mean).reshape(-1, 1, 1)) / torch.tensor(self.std).reshape(-1, 1, 1)


#: ImageNet's own mean and deviation, with which most backbones were trained.
IMAGENET = Normalisation((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


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
