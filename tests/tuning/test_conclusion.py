"""What is said of a sweep beside its points."""

from __future__ import annotations

import pytest

from convertkit.scoring.intervals import FIRST_LOOK
from convertkit.tuning.conclusion import Tuning


def swept(photos: int) -> Tuning:
    return Tuning("maskrcnn", "mini", "ascend310p3", {}, {}, (), photos, None, 0.005, False)


@pytest.mark.parametrize("photos", [0, FIRST_LOOK])
def test_enough_photos_and_prices_alone_need_no_word(photos: int) -> None:
    assert swept(photos).guess == ""


def test_a_choice_from_few_photos_is_said_to_be_a_guess() -> None:
    assert swept(FIRST_LOOK - 1).guess == (
        "49 photos are few: intervals of fewer than 50 are a guess, and so is the choice"
    )
