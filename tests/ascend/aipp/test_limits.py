"""What AIPP cannot do is refused in one line that holds the rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from convertkit_ascend import socs
from convertkit_ascend.aipp import Aipp, Crop, Padding, check, violations

from convertkit.errors import UsageError

GOOD = Aipp(
    width=1216, height=1216, mean=(123, 116, 103), low=(0.675, 0.28, 0.53), scale=(0.017, 0.0175, 0.0174)
)
CHIP = socs.get("ascend310p3")


def test_what_the_letterbox_of_the_host_needs_is_fine() -> None:
    assert violations(GOOD, CHIP, (1216, 1216)) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"width": 5000}, "width is 5000: it must be 2 to 4096"),
        ({"width": 1}, "width is 1: it must be 2 to 4096"),
        ({"height": 4097}, "height is 4097: it must be 1 to 4096"),
        ({"mean": (0, 256, 0)}, "mean 256.28 of channel 1: it must be 0 to 255"),
        ({"mean": (-1, 0, 0)}, "channel 0: it must be 0 to 255, mean_chn is uint8"),
        ({"low": (0.0, 0.0, -0.5)}, "min_chn -0.5 of channel 2"),
        ({"scale": (1e-5, 1.0, 1.0)}, "factor 1e-05 of channel 0: var_reci_chn is fp16, it must be 6.1e-05 to 65504"),
        ({"scale": (1.0, 1.0, 1e5)}, "factor 1e+05 of channel 2"),
        ({"crop": Crop(4096, 0, 8, 8)}, "the crop's left is 4096: it must be 0 to 4095"),
        ({"crop": Crop(0, 0, 0, 8)}, "it must keep a pixel"),
        ({"crop": Crop(1, 0, 1216, 8)}, "ends outside the image of 1216 x 1216"),
    ],
)  # fmt: skip
def test_a_violation_is_one_line(change: dict, line: str) -> None:
    found = violations(replace(GOOD, **change), CHIP)

    assert len([text for text in found if line in text]) == 1, found
    assert all("\n" not in text for text in found)


def test_a_padded_width_above_1080_is_refused_on_the_310p_only() -> None:
    wide = replace(GOOD, width=1060, padding=Padding(left=20, right=1))

    assert violations(wide, CHIP) == [
        "it pads to a width of 1081: with padding the Ascend310P allows 1080, so pad on the host"
    ]
    assert violations(replace(wide, padding=Padding(left=20)), CHIP) == []
    assert violations(wide, socs.get("ascend310")) == []


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_padding_beyond_32_pixels_is_refused(side: str) -> None:
    small = replace(GOOD, width=100, height=100)

    assert violations(replace(small, padding=Padding(**{side: 32})), CHIP) == []
    assert violations(replace(small, padding=Padding(**{side: 33})), CHIP) == [
        f"padding {side} is 33: it must be 0 to 32 pixels, so pad on the host"
    ]


def test_the_output_must_be_what_the_network_takes() -> None:
    with pytest.raises(UsageError, match=r"AIPP on Ascend310P3: its output is 1216 x 1216 .*E70014"):
        check(GOOD, CHIP, (800, 1216))
