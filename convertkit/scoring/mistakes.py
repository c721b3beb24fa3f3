"""What a detector gets wrong, by kind, as TIDE has it.

Bolya, Foley, Hays and Hoffman 2020, TIDE: A General Toolbox for Identifying Object Detection Errors; by hotcoco.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import hotcoco

WHOLE = 5120
"""Photos that hotcoco evaluates at once, all 5,000 of val2017; of more, mistakes are those of the first."""

KINDS = {
    "Cls": "another class",
    "Loc": "IoU from 0.1 to 0.5",
    "Both": "both",
    "Dupe": "found once more",
    "Bkg": "IoU below 0.1",
    "Miss": "not found",
    "FP": "all that is too much",
    "FN": "all that is not matched",
}
"""TIDE's names; of the last two it counts no detections."""


class Mistake(Struct, frozen=True):
    """One kind of error: the AP50, 0..1, that there were more without it, and how many detections or objects it is."""

    ap50: float
    count: int | None = None


def mistakes_of(evaluation: hotcoco.COCOeval) -> dict[str, Mistake]:
    """Of an evaluation that has run, by TIDE's name of the kind; none where there is nothing to find."""
    if evaluation.stats[1] < 0:
        return {}
    found = evaluation.tide_errors(pos_thr=0.5, bg_thr=0.1)
    return {kind: Mistake(float(found["delta_ap"][kind]), found["counts"].get(kind)) for kind in KINDS}
