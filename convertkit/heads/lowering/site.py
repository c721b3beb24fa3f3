"""A head about to be lowered: its attributes, its inputs in float32, and their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.errors import GraphError, UnavailableError
from convertkit.heads.lowering.emit import Emitter, Tensor
from convertkit.heads.operator import Operator, Values


@dataclass(frozen=True)
class Site:
    """One head.

    Args:
        attributes: with the defaults.
        inputs: floating ones in float32; None for an absent one.
        half: whether the node's floating inputs and outputs are float16.
        remedy: as :func:`~convertkit.graph.input_shapes.remedy` gives it.
    """

    name: str
    op: Operator
    attributes: Values
    inputs: tuple[Tensor | None, ...]
    half: bool
    remedy: str = ""

    def shape(self, index: int) -> tuple[int, ...]:
        """The sizes of one input.

        Raises:
            UnavailableError: one is not known, or not known before the graph runs.
        """
        tensor = self.inputs[index]
        shape = None if tensor is None else tensor.shape
        if shape is None or any(not isinstance(size, int) for size in shape):
            why = (
                f"{self.op.name} {self.name!r}: input {index} has shape {shape}; lowering needs static shapes"
            )
            raise UnavailableError(why, hint=self.remedy or None)
        return tuple(shape)


def site(emit: Emitter, node: Any, op: Operator) -> Site:
    """What a node of a graph asks for.

    Raises:
        GraphError: an attribute is missing, unknown or wrong, or inputs are neither float32 nor float16.
    """
    if wrong := op.wrong(node.attrs):
        raise GraphError(f"{op.name} {node.name!r}: {'; '.join(wrong)}")
    inputs = [None if tensor.is_empty() else tensor for tensor in node.inputs]
    half = _is_half(inputs, f"{op.name} {node.name!r}")
    single = tuple(_as_float32(emit, tensor) for tensor in inputs)
    return Site(node.name, op, op.complete(node.attrs), single, half, emit.remedy())


def _is_half(inputs: Sequence[Tensor | None], who: str) -> bool:
    kinds = {np.dtype(item.dtype) for item in inputs if item is not None and item.dtype is not None}
    kinds -= {np.dtype(np.int32)}  # num_valid_boxes
    if kinds not in ({np.dtype(np.float32)}, {np.dtype(np.float16)}):
        found = ", ".join(sorted(map(str, kinds))) or "unknown"
        raise GraphError(f"{who}: its inputs must be all float32 or all float16, they are {found}")
    return kinds == {np.dtype(np.float16)}


def _as_float32(emit: Emitter, tensor: Tensor | None) -> Tensor | None:
    if tensor is None or np.dtype(tensor.dtype) != np.float16:
        return tensor
    single = emit.cast(tensor, np.float32)
    single.dtype, single.shape = np.dtype(np.float32), tensor.shape
    return single
