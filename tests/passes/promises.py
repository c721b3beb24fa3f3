"""Passes that change nothing and promise something: a test says what the graph became."""

from __future__ import annotations

import convertkit


class Rounds(convertkit.GraphPass):
    """Promise no more than other rounding."""

    name = "rounds"
    effect = "rounding"


class Keeps(convertkit.GraphPass):
    """Promise the same bits."""

    name = "keeps"
    effect = "exact"
