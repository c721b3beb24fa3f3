"""The score above which a graph keeps a box, measured where filters ahead of the NonMaxSuppression have a say."""

from __future__ import annotations

import numpy as np

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.sources import Sources

_ONE = int(np.float32(1.0).view(np.uint32))
"""Bits of positive floats are ordered as their values."""


def measure(graph: passes.Graph, site: Site, found: Sources) -> float:
    """The largest float32 in 0..1 at which a lone box is dropped; every score above it is kept.

    Raises:
        Refused: a box of the largest score is dropped too.
    """
    region = graphs.cut(graph, [site.selection], found.borders)
    top = graphs.bounds(graph, found.scores.tensor).high
    low, high = 0, int(np.float32(min(top, 1.0)).view(np.uint32)) if top > 0 else _ONE
    ranges = probes.Ranges(found.range, 1.0, 0.0)
    case = next(item for item in found.cases(ranges) if item.name == "one")
    place = np.unravel_index(int(np.argmax(case.scores)), case.scores.shape)

    def kept(bits: int) -> bool:
        scores = np.zeros_like(case.scores)
        scores[place] = np.uint32(bits).view(np.float32)
        try:
            return len(region.run(*found.feed(case.boxes, scores))[0]) > 0
        except passes.GraphError:
            return False  # torchvision's offsets are a maximum over no boxes then

    if not kept(high):
        raise Refused("a filter ahead drops even a box of score 1", found.scores.tensor)
    if kept(low):
        return 0.0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if kept(middle) else (middle, high)
    return float(np.uint32(low).view(np.float32))
