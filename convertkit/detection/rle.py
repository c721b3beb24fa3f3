"""COCO's compressed run lengths from strangers: do they describe a mask of the size they claim?"""

from __future__ import annotations

import hotcoco.mask


def problem(height: int, width: int, counts: str) -> str | None:
    """What is wrong with a compressed mask of ``height`` x ``width`` pixels, or ``None`` where it is whole.

    The evaluator counts a damaged mask as an empty one and says nothing; C code that trusts it reads beyond its
    end. hotcoco's ``area`` refuses what is malformed or too long, but not what is too short; so a whole mask is
    one that fits its image and is too long for an image of one pixel less.
    """
    try:
        hotcoco.mask.area({"size": [height, width], "counts": counts})
    except ValueError as error:
        return f"not compressed run lengths ({error})"
    if not counts or (ord(counts[-1]) - 48) & 32:  # the bit that says: this number goes on
        return "the run lengths end in the middle of a number"
    try:
        hotcoco.mask.area({"size": [1, height * width - 1], "counts": counts})
    except ValueError:
        return None
    return f"the run lengths cover less than {width} x {height} pixels"
