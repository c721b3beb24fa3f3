"""What ATC's errors mean: find the codes in its output, join them with what is known, say cause and fix."""

from __future__ import annotations

from convertkit_ascend.atc.errors.catalogue import CodeInfo, codes, lookup
from convertkit_ascend.atc.errors.explain import Ending, Explanation, explain
from convertkit_ascend.atc.errors.find import Reported, find
from convertkit_ascend.atc.errors.nodes import NodeAt
from convertkit_ascend.atc.errors.render import render

__all__ = [
    "CodeInfo",
    "Ending",
    "Explanation",
    "NodeAt",
    "Reported",
    "codes",
    "explain",
    "find",
    "lookup",
    "render",
]
