"""Which boxes a graph keeps by themselves, measured where filters ahead of the NonMaxSuppression have a say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.sources import Sources
from convertkit_passes.heads.types import Tensor


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
        case = found.cases(ranges)[0]
        place = np.unravel_index(int(np.argmax(case.scores)), case.scores.shape)
        region = graphs.cut(graph, [site.selection], found.borders)
        return cls(found, region, case.boxes, case.scores.shape, tuple(int(item) for item in place))

    def kept(self, score: np.float32) -> bool:
        """Whether the box is selected with this score."""
        return self._kept(score, self.boxes)

    def kept_of(self, axis: int, side: np.float32) -> bool:
        """Whether the box is selected with score 1 and this width (axis 0) or height (1)."""
        boxes = self.boxes.copy()
        boxes[..., axis], boxes[..., axis + 2] = 0, side
        return self._kept(np.float32(1), boxes)

    def _kept(self, score: np.float32, boxes: NDArray[np.float32]) -> bool:
        scores = np.zeros(self.shape, np.float32)
        scores[self.place] = score
        try:
            return len(self.region.run(*self.found.feed(boxes, scores))[0]) > 0
        except passes.GraphError:
            return False  # torchvision's offsets are a maximum over no boxes then


def measure(graph: passes.Graph, site: Site, found: Sources) -> float | None:
    """The largest float32 in 0..1 at which a lone box is dropped; every score above it is kept. None: 0 is kept too.

    Raises:
        Refused: a box of the largest score is dropped too.
    """
    lone = Lone.of(graph, site, found)
    scores = found.scores.tensor
    top = graphs.bounds(graph, scores).high
    return highest_dropped(lone.kept, min(top, 1.0) if top > 0 else 1.0, scores)


def highest_dropped(kept: Callable[[np.float32], bool], top: float, blamed: Tensor) -> float | None:
    """The largest float32 from 0 to ``top`` that is not kept, where every larger one is; None where 0 is kept.

    Raises:
        Refused: ``top`` is dropped too.
    """
    low, high = 0, int(np.float32(top).view(np.uint32))  # bits of positive floats are ordered as their values

    def passes_filter(bits: int) -> bool:
        return kept(np.uint32(bits).view(np.float32))

    if not passes_filter(high):
        raise Refused(f"a filter ahead drops even a box at {top:g} of {blamed.name}", blamed)
    if passes_filter(low):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes_filter(middle) else (middle, high)
    return float(np.uint32(low).view(np.float32))


def sides(graph: passes.Graph, site: Site, found: Sources) -> NDArray[np.float32] | None:
    """``(2,)``: the largest width and height that a filter ahead drops; None where it drops no box for its size."""
    if not found.filtered:
        return None
    lone, extent = Lone.of(graph, site, found), found.range.high - found.range.low
    blamed = found.boxes.tensor
    limits = [highest_dropped(partial(lone.kept_of, axis), extent, blamed) for axis in (0, 1)]
    if limits == [None, None]:
        return None
    return np.array([-1 if item is None else item for item in limits], np.float32)
