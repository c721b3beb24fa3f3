"""Passes that change nothing and promise something: a test says what the graph became."""

from __future__ import annotations

from convertkit.api.passes import GraphPass


class Rounds(GraphPass):
    """Promise no more than other rounding."""

    name = "rounds"
    effect = "rounding"


class Keeps(GraphPass):
    """Promise the same bits."""

    name = "keeps"
    effect = "exact"
