"""Boxes that have one class each, by a tensor of labels or by their place, instead of a score for every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms.candidates.views import View, above
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Labels:
    """One of C classes for each of M boxes. The operator's scores are 0 for the other classes.

    Attributes:
        tensor: integer, a view of ``(B, M)``; None where labels are constant.
        values: ``(M,)``, the labels that are constant.
    """

    batch: int
    count: int
    classes: int
    tensor: Tensor | None = None
    values: Array | None = None

    @property
    def boxes(self) -> View:
        """To ``(B, M, 1, 4)``."""
        return View((self.batch, self.count, 1, 4))

    @property
    def scores(self) -> View:
        """To ``(B, M, 1)``."""
        return View((self.batch, self.count, 1))

    def spread(self, scores: Array, random: np.random.Generator) -> Array:
        """``(B, M, C)`` of ``(B, M, 1)``: each score at its box's label, which is random unless it is constant."""
        shape = (self.batch, self.count)
        drawn = random.integers(0, self.classes, shape) if self.values is None else self.values
        return np.where(np.broadcast_to(drawn, shape)[..., None] == np.arange(self.classes), scores, 0)

    def feed(self, scores: Array) -> list[Array]:
        """``(B, M, 1)`` scores, and labels where they are a tensor, of the operator's scores ``(B, M, C)``."""
        best = scores.max(-1, keepdims=True)
        return [best] if self.tensor is None else [best, scores.argmax(-1).reshape(self.tensor.shape)]

    def moved(self, labels: Array, offsets: Array, blamed: Tensor) -> Array:
        """``(C, 2)``: x and y of the offset of each class, NaN where no box has it.

        Args:
            labels: ``(B, M)``.
            offsets: ``(B, M, 4)``: what is added to each box.

        Raises:
            Refused: boxes of a class are not moved alike, each as a whole.
        """
        found = np.full((self.classes, 2), np.nan)
        for kind in range(self.classes):
            rows = offsets[labels == kind]
            if len(rows) and (rows[:, :2] != rows[0, 2:]).any() | (rows[:, 2:] != rows[0, :2]).any():
                raise Refused("what is added to the boxes does not move those of a class alike", blamed)
            found[kind] = rows[0, :2] if len(rows) else np.nan
        return found

    def emit(self, graph: passes.Graph, scores: Tensor) -> Tensor:
        """``(B, M, C)`` of ``(B, M, 1)`` scores."""
        shape = (self.batch, self.count, self.classes)
        mask = graph.constant(self._mask(scores.dtype), name="labels") if self.tensor is None else None
        if self.tensor is not None:
            kinds = graph.constant(np.arange(self.classes, dtype=self.tensor.dtype), name="classes")
            column = self.scores.emit(graph, self.tensor)
            same = graph.add("Equal", [column, kinds], dtype=np.dtype(np.bool_), shape=shape)
            to = {"to": helper.np_dtype_to_tensor_dtype(np.dtype(scores.dtype))}
            mask = graph.add("Cast", [same], attrs=to, dtype=scores.dtype, shape=shape)
        return graph.add("Mul", [scores, mask], dtype=scores.dtype, shape=shape)

    def _mask(self, dtype: Any) -> Array:
        assert self.values is not None
        same: Array = self.values[:, None] == np.arange(self.classes)
        return same.astype(dtype)


def find(graph: passes.Graph, offset: Tensor, batch: int, count: int) -> Labels | None:
    """The nearest integers above an offset, one for each box, that are known to be 0 to some C - 1."""
    waiting, seen = [offset], {id(offset)}
    while waiting:
        tensor = waiting.pop(0)
        shape = graphs.static_shape(tensor)
        whole = tensor.dtype is not None and np.dtype(tensor.dtype).kind in "iu"
        if whole and shape is not None and int(np.prod(shape)) == batch * count:
            within = graphs.bounds(graph, tensor)
            if within.finite and within.low >= 0:
                return Labels(batch, count, int(within.high) + 1, above(tensor)[-1])
        new = [item for node in tensor.inputs for item in node.inputs if id(item) not in seen]
        seen.update(id(item) for item in new)
        waiting.extend(new)
    return None
