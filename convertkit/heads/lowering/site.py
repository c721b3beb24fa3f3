"""A head about to be lowered: its attributes, its inputs in float32, and their sizes."""

from __future__ import annotations

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

    def shape(self, index: int, axes: slice = slice(None)) -> tuple[int, ...]:
        """The sizes of one input, or those of some of its axes.

        Raises:
            UnavailableError: one is not known, or not known before the graph runs.
        """
        tensor = self.inputs[index]
        shape = None if tensor is None else tensor.shape
        if shape is None or any(not isinstance(size, int) for size in shape[axes]):
            why = (
                f"{self.op.name} {self.name!r}: input {index} has shape {shape}; lowering needs static shapes"
            )
            raise UnavailableError(why, hint=self.remedy or None)
        return tuple(shape[axes])


def site(emit: Emitter, node: Any, op: Operator) -> Site:
    """What a node of a graph asks for, whose types the operator's inference has accepted.

    Raises:
        GraphError: it has an attribute that the operator has not, which inference does not look for.
    """
    if wrong := op.wrong(node.attrs):
        raise GraphError(f"{op.name} {node.name!r}: {'; '.join(wrong)}")
    inputs = [None if tensor.is_empty() else tensor for tensor in node.inputs]
    half = any(tensor is not None and tensor.dtype == np.float16 for tensor in inputs)
    single = tuple(_as_float32(emit, tensor) for tensor in inputs)
    return Site(node.name, op, op.complete(node.attrs), single, half, emit.remedy())


def _as_float32(emit: Emitter, tensor: Tensor | None) -> Tensor | None:
    if tensor is None or np.dtype(tensor.dtype) != np.float16:
        return tensor
    single = emit.cast(tensor, np.float32)
    single.dtype, single.shape = np.dtype(np.float32), tensor.shape
    return single
