"""Which boxes a graph keeps by themselves, measured where filters ahead of the NonMaxSuppression have a say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.sources import Sources
from convertkit_passes.heads.types import Tensor

_ONE = int(np.float32(1.0).view(np.uint32))
"""Bits of positive floats are ordered as their values."""


@dataclass(frozen=True)
class Lone:
    """The graph with one box that has a score; all others have none.

    Attributes:
        boxes: ``(B, N, q, 4)``.
        place: of the score in ``(B, N, C)``.
    """

    found: Sources
    region: graphs.Region
    boxes: NDArray[np.float32]
    shape: tuple[int, ...]
    place: tuple[int, ...]

    @classmethod
    def of(cls, graph: passes.Graph, site: Site, found: Sources) -> Lone:
        ranges = probes.Ranges(found.range, 1.0, 0.0)
        case = next(item for item in found.cases(ranges) if item.name == "one")
        place = np.unravel_index(int(np.argmax(case.scores)), case.scores.shape)
        region = graphs.cut(graph, [site.selection], found.borders)
        return cls(found, region, case.boxes, case.scores.shape, tuple(int(item) for item in place))

    def kept(self, score: np.float32, empty: tuple[int, ...] = ()) -> bool:
        """Whether the box is selected with this score, and without extent along the axes ``empty`` (0: x, 1: y)."""
        scores, boxes = np.zeros(self.shape, np.float32), self.boxes.copy()
        scores[self.place] = score
        for axis in empty:
            boxes[..., axis + 2] = boxes[..., axis]
        try:
            return len(self.region.run(*self.found.feed(boxes, scores))[0]) > 0
        except passes.GraphError:
            return False  # torchvision's offsets are a maximum over no boxes then


def measure(graph: passes.Graph, site: Site, found: Sources) -> float:
    """The largest float32 in 0..1 at which a lone box is dropped; every score above it is kept.

    Raises:
        Refused: a box of the largest score is dropped too.
    """
    lone = Lone.of(graph, site, found)
    scores = found.scores.tensor
    return highest_dropped(lone.kept, graphs.bounds(graph, scores).high, scores)


def highest_dropped(kept: Callable[[np.float32], bool], top: float, blamed: Tensor) -> float:
    """The largest float32 from 0 to 1, or ``top``, that is not kept, where every larger one is; 0 where 0 is kept.

    Raises:
        Refused: the largest score is dropped too.
    """
    low, high = 0, int(np.float32(min(top, 1.0)).view(np.uint32)) if top > 0 else _ONE

    def passes_filter(bits: int) -> bool:
        return kept(np.uint32(bits).view(np.float32))

    if not passes_filter(high):
        raise Refused("a filter ahead drops even a box of score 1", blamed)
    if passes_filter(low):
        return 0.0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes_filter(middle) else (middle, high)
    return float(np.uint32(low).view(np.float32))


def drops_empty(graph: passes.Graph, site: Site, found: Sources) -> bool:
    """Whether a filter ahead drops boxes that have no width, no height, or neither, of whatever score."""
    lone = Lone.of(graph, site, found) if found.filtered else None
    return lone is not None and not any(lone.kept(np.float32(1), axes) for axes in ((0,), (1,), (0, 1)))
