"""Where in a tensor the rows of an NMS are, and the same tensor with fewer of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """K rows lie on one axis of a tensor: its size is ``outer * K * inner``, in that order.

    Boxes ``(B, K, 4)`` have ``Rows(1)``; the RoIs ``(B * K, 5)`` made of them ``Rows(0, outer=B)``; masks
    ``(K * C, h, w)`` of C classes ``Rows(0, inner=C)``.
    """

    axis: int
    outer: int = 1
    inner: int = 1

    def size(self, count: int) -> int:
        """Of the axis, with so many rows."""
        return self.outer * count * self.inner

    def resized(self, shape: Sequence[int], count: int) -> tuple[int, ...]:
        """The shape with so many rows."""
        return (*shape[: self.axis], self.size(count), *shape[self.axis + 1 :])

    def moved(self, before: Sequence[int], after: Sequence[int], count: int) -> Rows | None:
        """The rows after a change of shape that keeps the order of elements; None where they are on no axis."""
        outer = prod(before[: self.axis]) * self.outer
        for axis, size in enumerate(after):
            ahead = prod(after[:axis])
            if outer % ahead == 0 and (ahead * size) % (outer * count) == 0:
                return Rows(axis, outer // ahead, ahead * size // (outer * count))
        return None

    def first(self, values: NDArray[Any], old: int, new: int) -> NDArray[Any]:
        """The first ``new`` of ``old`` rows of each block; what numbers all rows goes on numbering them."""
        flat = np.moveaxis(values, self.axis, 0)
        numbers = np.arange(len(flat)).reshape(-1, *[1] * (flat.ndim - 1))
        step = flat[1] - flat[0] if flat.dtype.kind in "iuf" and len(flat) > 1 else None
        if (
            self.outer > 1
            and step is not None
            and step.any()
            and np.array_equal(flat, flat[0] + numbers * step)
        ):
            kept = (flat[0] + numbers[: self.size(new)] * step).astype(values.dtype)
        else:
            blocks = flat.reshape(self.outer, old, self.inner, *flat.shape[1:])
            kept = blocks[:, :new].reshape(self.size(new), *flat.shape[1:])
        return np.ascontiguousarray(np.moveaxis(kept, 0, self.axis))

    def on(self, axis: int) -> Rows:
        """The same on another axis."""
        return replace(self, axis=axis)
