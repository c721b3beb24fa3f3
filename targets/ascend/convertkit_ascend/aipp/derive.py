"""From a model's preprocessing settings to AIPP's."""

from __future__ import annotations

import math

from convertkit.api import targets
from convertkit_ascend.aipp.aipp_op import Aipp


def from_pixels(pixels: targets.Pixels, input_rank: int = 0) -> Aipp:
    """The unit's settings for an input that the target normalises.

    A mean is split: the whole part is ``mean_chn`` (uint8), what is left is ``min_chn``. Public samples put all of it
    into ``min_chn``; but in fp16 123.675 is 123.6875, while 0.675 is 0.67480: the split is sixty times nearer.

    Args:
        input_rank: the position of the input in the graph.
    """
    spec = pixels.spec
    height, width = pixels.size
    whole = [math.floor(value) for value in spec.mean]
    low = [value - part for value, part in zip(spec.mean, whole, strict=True)]
    scale = [1.0 / value for value in spec.std]
    return Aipp(
        width=width,
        height=height,
        swap=spec.to_rgb,
        mean=(whole[0], whole[1], whole[2]),
        low=(low[0], low[1], low[2]),
        scale=(scale[0], scale[1], scale[2]),
        input_rank=input_rank,
    )
