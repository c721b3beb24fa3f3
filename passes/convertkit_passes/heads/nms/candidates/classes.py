"""How class offsets divide a flat list of boxes, and whether they keep the classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api.heads import Refused
from convertkit_passes.heads.nms.candidates.labels import Labels
from convertkit_passes.heads.nms.candidates.views import View
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """C classes of N boxes each in one flat list.

    Attributes:
        minor: box j is of class j % C, as mmdet flattens (N, C); else of class j // N.
    """

    batch: int
    count: int
    classes: int
    minor: bool

    @property
    def boxes(self) -> View:
        """To ``(B, N, C, 4)``."""
        if self.minor:
            return View((self.batch, self.count, self.classes, 4))
        return View((self.batch, self.classes, self.count, 4), (0, 2, 1, 3))

    @property
    def scores(self) -> View:
        """To ``(B, N, C)``."""
        if self.minor:
            return View((self.batch, self.count, self.classes))
        return View((self.batch, self.classes, self.count), (0, 2, 1))


def layout(offsets: Array, blamed: Tensor) -> tuple[Layout | Labels, Array]:
    """The classes that equal offsets make, in the order in which they appear; and the offset of each.

    Classes of different sizes, or in another order, are labels of single boxes.

    Args:
        offsets: ``(B, M, 4)``: what is added to each box.

    Returns:
        the layout, and ``(C, 2)``: x and y of each class's offset.

    Raises:
        Refused: the offsets change the size of boxes, or differ in the batch.
    """
    if not np.array_equal(offsets[..., :2], offsets[..., 2:]) or (offsets != offsets[:1]).any():
        raise Refused("what is added to the boxes does not move each of them as a whole", blamed)
    kinds, first, ranks = np.unique(offsets[0, :, :2], axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    label = np.argsort(order)[ranks.ravel()]
    batch, total, classes = len(offsets), offsets.shape[1], len(kinds)
    places = np.arange(total)
    if total % classes == 0:
        for minor, expected in ((True, places % classes), (False, places // (total // classes))):
            if np.array_equal(label, expected):
                return Layout(batch, total // classes, classes, minor), kinds[order]
    return Labels(batch, total, classes, values=label), kinds[order]


def gap(offsets: Array) -> float:
    """The distance, along the better axis, of the two nearest classes; infinite for one class.

    Args:
        offsets: ``(C, 2)``.
    """
    if len(offsets) < 2:
        return np.inf
    apart = np.abs(offsets[:, None] - offsets[None]).max(-1)
    return float(apart[~np.eye(len(offsets), dtype=bool)].min())
