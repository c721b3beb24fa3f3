"""Writing nodes of the default domain, in the forms that opsets 11 to 16 share or in the right one of two."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from convertkit.graph.graph import Graph
from convertkit.graph.input_shapes import remedy

Tensor: TypeAlias = Any
"""A graphsurgeon tensor."""

_ELEMENT = {np.dtype(np.float32): 1, np.dtype(np.int64): 7, np.dtype(np.int32): 6, np.dtype(np.float16): 10}
"""``TensorProto.DataType``."""


class Emitter:
    """Appends nodes whose names begin with that of the head they stand for."""

    def __init__(self, graph: Graph, prefix: str) -> None:
        self._graph, self._prefix = graph, prefix

    def remedy(self) -> str:
        """How to set the sizes that the graph's inputs leave open; empty where none is."""
        return remedy(self._graph.inputs)

    def op(self, kind: str, *inputs: Tensor, **attributes: Any) -> Tensor:
        """The first output of a new node."""
        return self.both(kind, *inputs, count=1, **attributes)[0]

    def both(self, kind: str, *inputs: Tensor, count: int = 2, **attributes: Any) -> list[Tensor]:
        """All outputs of a new node."""
        first = self._graph.add(kind, inputs, attrs=attributes, name=f"{self._prefix}/{kind}")
        node = first.inputs[0]
        for index in range(1, count):
            node.outputs.append(type(first)(self._graph.fresh_name(f"{node.name}_output_{index}")))
        return list(node.outputs)

    def floats(self, values: Any) -> Tensor:
        """A float32 constant."""
        return self._constant(values, np.float32)

    def ints(self, values: Any) -> Tensor:
        """An int64 constant."""
        return self._constant(values, np.int64)

    def cast(self, tensor: Tensor, dtype: DTypeLike) -> Tensor:
        """``tensor`` in another type."""
        return self.op("Cast", tensor, to=_ELEMENT[np.dtype(dtype)])

    def reshape(self, tensor: Tensor, *dims: int) -> Tensor:
        """``tensor`` in another shape; -1 for what is left over."""
        return self.op("Reshape", tensor, self.ints(dims))

    def columns(self, tensor: Tensor, start: int, stop: int) -> Tensor:
        """Columns ``start`` to ``stop - 1`` of an ``(M, columns)`` tensor."""
        return self.op("Slice", tensor, self.ints([start]), self.ints([stop]), self.ints([1]))

    def filled(self, shape: Tensor) -> Tensor:
        """float32 zeros of a shape."""
        return self.op("ConstantOfShape", shape)

    def sum(self, tensor: Tensor, axis: int) -> Tensor:
        """The sum along one axis, which is gone afterwards."""
        if self._graph.opset >= 13:  # the axes became an input
            return self.op("ReduceSum", tensor, self.ints([axis]), keepdims=0)
        return self.op("ReduceSum", tensor, axes=[axis], keepdims=0)

    def roi_align(self, feature: Tensor, corners: Tensor, number: Tensor, **attributes: Any) -> Tensor:
        """RoIAlign without a shift of half a pixel, which opset 16 made the default."""
        if self._graph.opset >= 16:
            attributes["coordinate_transformation_mode"] = "output_half_pixel"
        return self.op("RoiAlign", feature, corners, number, **attributes)

    def all(self, *masks: Tensor) -> Tensor:
        """The conjunction of masks."""
        result = masks[0]
        for mask in masks[1:]:
            result = self.op("And", result, mask)
        return result

    def _constant(self, values: Any, dtype: DTypeLike) -> Tensor:
        return self._graph.constant(np.array(values, dtype), name=f"{self._prefix}/constant")
