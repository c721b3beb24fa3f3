"""What ``convertkit estimate`` asks of Ascend: the chip's peaks, and the costs of the vendor operators."""

from __future__ import annotations

from convertkit_ascend.roofline.costs import cost
from convertkit_ascend.roofline.peaks import machine

__all__ = ["cost", "machine"]
