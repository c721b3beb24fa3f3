"""What is said of a sweep beside its points."""

from __future__ import annotations

import pytest
from msgspec import structs

from convertkit.reports.page.blocks import Words
from convertkit.reports.page.tune import _left_out
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


def test_what_makes_points_doubtful_is_said_where_they_are_shown() -> None:
    found = structs.replace(swept(1), notes=("class x is not in the dataset",), budget_ended=True)

    assert found.doubts[0] == found.guess and found.doubts[1] == "class x is not in the dataset"
    assert found.doubts[2].startswith("the budget ended before all points were looked at")
    said = [block.text for block in _left_out(found) if isinstance(block, Words)]
    assert said[1] == "Class x is not in the dataset." and len(said) == 4
    assert swept(FIRST_LOOK).doubts == ()
