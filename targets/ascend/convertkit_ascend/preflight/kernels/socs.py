"""Which kernel library a chip belongs to: the directory name of its lists in an installation."""

from __future__ import annotations

import convertkit

FAMILIES = {
    "ascend310": "ascend310",
    **dict.fromkeys(("ascend310p1", "ascend310p3", "ascend310p5", "ascend310p7"), "ascend310p"),
    **dict.fromkeys(("ascend310b1", "ascend310b2", "ascend310b3", "ascend310b4"), "ascend310b"),
    **dict.fromkeys(
        ("ascend910a", "ascend910b", "ascend910proa", "ascend910prob", "ascend910premiuma"), "ascend910"
    ),
    **dict.fromkeys(
        ("ascend910b1", "ascend910b2", "ascend910b2c", "ascend910b3", "ascend910b4", "ascend910b4-1"),
        "ascend910b",
    ),
}
"""``Short_SoC_version`` of CANN 8.1.RC1's platform files, in lower case as in the lists (ascend-facts: soc-family)."""


def family_of(soc: str) -> str:
    """``ascend310p`` for ``Ascend310P3``.

    Raises:
        UnknownNameError: there is no such chip; points to the nearest.
    """
    if soc.lower() not in FAMILIES:
        raise convertkit.UnknownNameError("SoC", soc, FAMILIES)
    return FAMILIES[soc.lower()]
