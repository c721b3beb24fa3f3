"""What AIPP cannot do, each with its rule (ascend-facts: aipp-limits)."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.api import targets
from convertkit_ascend import socs
from convertkit_ascend.aipp.aipp_op import Aipp, Padding

WIDTHS, HEIGHTS = (2, 4096), (1, 4096)
"""``src_image_size_w``, ``src_image_size_h``; pixels."""

STARTS = (0, 4095)
"""``load_start_pos_w``, ``load_start_pos_h``; pixels."""

WIDEST_PADDING = 32
"""Every ``*_padding_size``; pixels."""

WIDEST_PADDED = {"Ascend310P": 1080}
"""The widest output of a chip's AIPP that pads; pixels."""

SMALLEST_NORMAL, LARGEST = 2.0**-14, 65504.0
"""Of fp16: a smaller factor would lose bits."""


def violations(aipp: Aipp, soc: socs.Soc, size: tuple[int, int] | None = None) -> list[str]:
    """Everything that is wrong with settings, one line each with the rule; empty where nothing is.

    Args:
        size: height and width of the network input, where AIPP's output has to be just that.
    """
    lines = [*_source(aipp), *_channels(aipp), *_crop(aipp)]
    if aipp.padding is not None:
        lines += _padding(aipp, aipp.padding, soc)
    if size is not None and aipp.output_size != size:
        lines.append(
            f"its output is {_size(aipp.output_size)}, the network takes {_size(size)}: they must be equal (E70014)"
        )
    return lines


def check(aipp: Aipp, soc: socs.Soc, size: tuple[int, int] | None = None) -> None:
    """Refuses what :func:`violations` finds.

    Raises:
        UsageError: with the first violation.
    """
    found = violations(aipp, soc, size)
    if found:
        raise targets.UsageError(f"AIPP on {soc.soc_version}: {found[0]}", hint="say normalize: host")


def _source(aipp: Aipp) -> Iterator[str]:
    for name, value, (low, high) in (("width", aipp.width, WIDTHS), ("height", aipp.height, HEIGHTS)):
        if not low <= value <= high:
            yield f"the image's {name} is {value}: it must be {low} to {high} pixels"


def _channels(aipp: Aipp) -> Iterator[str]:
    for index in range(3):
        if not 0 <= aipp.mean[index] <= 255:
            mean = aipp.mean[index] + aipp.low[index]
            yield f"mean {mean:g} of channel {index}: it must be 0 to 255, mean_chn is uint8"
        if not 0 <= aipp.low[index] <= 255:
            yield f"min_chn {aipp.low[index]:g} of channel {index}: it must be 0 to 255"
        if not SMALLEST_NORMAL <= abs(aipp.scale[index]) <= LARGEST:
            yield (
                f"factor {aipp.scale[index]:.3g} of channel {index}: var_reci_chn is fp16, "
                f"it must be {SMALLEST_NORMAL:.3g} to {LARGEST:g}"
            )


def _crop(aipp: Aipp) -> Iterator[str]:
    crop = aipp.crop
    if crop is None:
        return
    for name, value in (("left", crop.left), ("top", crop.top)):
        if not STARTS[0] <= value <= STARTS[1]:
            yield f"the crop's {name} is {value}: it must be {STARTS[0]} to {STARTS[1]} pixels"
    if crop.width < 1 or crop.height < 1:
        yield f"the crop is {crop.height} x {crop.width}: it must keep a pixel"
    if crop.left + crop.width > aipp.width or crop.top + crop.height > aipp.height:
        yield f"the crop ends outside the image of {_size((aipp.height, aipp.width))}"


def _padding(aipp: Aipp, padding: Padding, soc: socs.Soc) -> Iterator[str]:
    for name in ("left", "right", "top", "bottom"):
        value = getattr(padding, name)
        if not 0 <= value <= WIDEST_PADDING:
            yield f"padding {name} is {value}: it must be 0 to {WIDEST_PADDING} pixels, so pad on the host"
    widest = WIDEST_PADDED.get(soc.family)
    if widest is not None and aipp.output_size[1] > widest:
        yield (
            f"it pads to a width of {aipp.output_size[1]}: with padding the {soc.family} allows {widest}, "
            "so pad on the host"
        )


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]} (height x width)"
