"""The question whether a graph is inside what the target takes."""

from __future__ import annotations

import convertkit
from convertkit_ascend.legality.rules import RULES
from convertkit_ascend.legality.view import View
from convertkit_ascend.legality.violation import Violation

SOCS = ("ascend310p1", "ascend310p3", "ascend310p5", "ascend310p7")
"""Chips whose kernel lists the table was made from: one family, one list (ascend-facts: soc-family)."""


def judge(graph: convertkit.LightModel | View, soc: str = "ascend310p3") -> tuple[Violation, ...]:
    """Everything that is outside what the vendor's parser and the chip's kernels take; errors first.

    Args:
        graph: a model, or the typed view of one where it is there already. Vendor operators may be in convertkit's
            domain (before the step that moves them) or in the default one.
        soc: the chip; the four of the 310P family have one table.

    Raises:
        UnknownNameError: there is no table for the chip.
    """
    if soc.lower() not in SOCS:
        raise convertkit.UnknownNameError("SoC", soc, SOCS)
    view = graph if isinstance(graph, View) else View(graph)
    found = [violation for rule in RULES for violation in rule(view)]
    return tuple(sorted(found, key=lambda item: item.severity != "error"))
