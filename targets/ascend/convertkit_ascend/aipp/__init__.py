"""AIPP: the unit of the chip that normalises an image's bytes on their way into the network.

The unit's order is channel swap, crop, colour space conversion, ``(x - mean - min) * var_reci``, padding
(ascend-facts: aipp-unit). What a letterbox needs of padding it cannot do (:mod:`convertkit_ascend.aipp.limits`), so the
host pads, before the normalisation, with the pixel nearest to the mean (:func:`convertkit.pad_pixel` says how near).

Nothing here was seen on hardware. The channel order stands on the manual and on public samples that feed
OpenCV's BGR to an RGB network with ``RGB888_U8``, ``rbuv_swap_switch: true`` and means in the order R, G, B.
"""

from __future__ import annotations

from convertkit_ascend.aipp.aipp_op import Aipp, Crop, Padding
from convertkit_ascend.aipp.derive import from_pixels
from convertkit_ascend.aipp.limits import check, violations
from convertkit_ascend.aipp.prepend import prepend
from convertkit_ascend.aipp.text import config_text

__all__ = ["Aipp", "Crop", "Padding", "check", "config_text", "from_pixels", "prepend", "violations"]
