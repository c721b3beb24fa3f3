"""One static ``aipp_op`` as data."""

from __future__ import annotations

from dataclasses import dataclass

Channels = tuple[float, float, float]
"""Per channel in the order after the swap: the order that the network sees."""


@dataclass(frozen=True)
class Crop:
    """The part of the source image that is kept, pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Padding:
    """What is added around the image after normalisation: pixels, and the value, in normalised units."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0
    value: float = 0.0


@dataclass(frozen=True)
class Aipp:
    """``aipp_mode: static`` for an image of three 8-bit channels, ``(1, height, width, 3)``, without conversion.

    Attributes:
        width, height: of the source image, pixels.
        swap: exchange the first and the last channel, as BGR needs for an RGB network.
        mean: ``mean_chn``, whole numbers 0..255.
        low: ``min_chn``, subtracted as well; fp16 in the unit.
        scale: ``var_reci_chn``, multiplied with what is left; fp16 in the unit.
        input_rank: which input of the model it stands before.
    """

    width: int
    height: int
    swap: bool = False
    mean: tuple[int, int, int] = (0, 0, 0)
    low: Channels = (0.0, 0.0, 0.0)
    scale: Channels = (1.0, 1.0, 1.0)
    crop: Crop | None = None
    padding: Padding | None = None
    input_rank: int = 0

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width of what the network gets, pixels."""
        width = self.crop.width if self.crop else self.width
        height = self.crop.height if self.crop else self.height
        pad = self.padding or Padding()
        return height + pad.top + pad.bottom, width + pad.left + pad.right
