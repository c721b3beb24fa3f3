"""What a model says of its pre- and postprocessing: settings of ``model.yaml``, as records strict about keys."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

Level = Annotated[float, Meta(ge=-1e6, le=1e6)]
Spread = Annotated[float, Meta(gt=0, le=1e6)]
"""What pixels are divided by: neither zero, nor infinite, nor no number at all."""

Channels = Annotated[tuple[Level, ...], Meta(min_length=3, max_length=3)]
"""One for each. Not ``tuple[Level, Level, Level]``: beside a bounded number msgspec 0.22.0 crashes on that."""


class PreprocessSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a photo becomes the network input: resize, normalise, letterbox.

    ``mean`` and ``std`` are per channel in the order the network sees (RGB when ``to_rgb``), in 0..255 units.
    ``rounding`` is that of the resized size: ``nearest`` = ``int(x * scale + 0.5)`` as mmcv, ``floor`` without the
    0.5. ``placement`` puts the image in the top-left ``corner`` (mmdet) or the ``center``. Padding is
    ``pad_value``, one number or one per channel, in normalised units (it is added after normalisation).

    ``normalize`` says who subtracts the mean, divides by std and swaps channels: the ``host``, or a unit of the
    ``target`` that has one. The network input is then the image's own bytes, a quarter of the size, and padding is
    the pixel value nearest to ``pad_value``; :mod:`convertkit.detection.letterbox` has both forms.
    """

    mean: tuple[Level, Level, Level]
    std: tuple[Spread, Spread, Spread]
    to_rgb: bool = True
    placement: Literal["corner", "center"] = "corner"
    rounding: Literal["nearest", "floor"] = "nearest"
    pad_value: Level | Channels = 0.0
    normalize: Literal["host", "target"] = "host"

    @property
    def padding(self) -> tuple[float, float, float]:
        """``pad_value`` of each channel, in the network's order."""
        pad = self.pad_value
        red, green, blue = pad if isinstance(pad, tuple) else (pad, pad, pad)
        return red, green, blue

    def on_host(self) -> PreprocessSpec:
        """The same, normalised on the host: what the stock graph and every pass's check are fed with."""
        return structs.replace(self, normalize="host")


class PostprocessSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How raw outputs become detections.

    Slots need a score above ``score_threshold``, mask pixels a probability of at least ``mask_threshold``.
    """

    score_threshold: float = 0.05
    mask_threshold: float = 0.5
