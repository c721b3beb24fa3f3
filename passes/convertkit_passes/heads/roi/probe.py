"""A candidate region as a function of features and RoIs, more or fewer than the graph was written for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.roi.pooling import Pooling

Float32: TypeAlias = NDArray[np.float32]

FEWEST, MOST = 64, 256
"""RoIs that are asked at a time: a graph for fewer is run several times, one for more is not filled."""


@dataclass(frozen=True)
class Probe:
    """A region whose inputs are the features in the order of ``pooling``, then the RoIs.

    Args:
        columns: of the RoIs: 5 with the number of the image in front, else 4.
        count: of RoIs that the graph is written for; None: any number.
    """

    region: graphs.Region
    pooling: Pooling
    columns: int
    count: int | None

    @property
    def questions(self) -> int:
        """How many RoIs to ask at a time."""
        return MOST if self.count is None else min(MOST, self.count * max(1, -(-FEWEST // self.count)))

    @property
    def exit(self) -> str:
        return str(self.region.outputs[0].name)

    def ask(self, features: Sequence[Float32], rois: Float32) -> Float32:
        """What the region makes of RoIs.

        Args:
            features: one array per level, in the shapes of ``pooling``.
            rois: ``(M, 5) float32``: image, x1 y1 x2 y2; M may be 0 where the graph takes any number.

        Returns:
            ``(M, C, bins) float32``.

        Raises:
            Refused: it cannot be run, or its result has another shape.
        """
        if self.count is None:
            return self._run(features, rois, len(rois))
        size = self.count
        parts = [self._run(features, rois[start : start + size], size) for start in range(0, len(rois), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, features: Sequence[Float32], rois: Float32, size: int) -> Float32:
        """One run, the RoIs spread over all slots, the others unused."""
        slots = np.linspace(0, size - 1, len(rois)).astype(np.int64)
        filled = np.zeros((size, 5), np.float32)
        filled[slots] = rois
        try:
            (result,) = self.region.run(*features, filled[:, 5 - self.columns :])
        except passes.GraphError as error:
            raise Refused(f"the candidate cannot be run: {error.message}", self.exit) from error
        wanted = (size, self.pooling.shapes[0][1], *self.pooling.bins)
        if result.shape != wanted:
            raise Refused(f"the result is {result.shape}, not {wanted}", self.exit)
        return np.asarray(result[slots], np.float32)
