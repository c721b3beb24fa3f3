"""Computing nodes ahead of time with onnxruntime, all that are ready in one session."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx import TensorProto

from convertkit.api import graphs
from convertkit_passes.folding.compute import compute, result_bytes
from convertkit_passes.folding.shapes import become_constant
from convertkit_passes.folding.stated import stated_bytes

if TYPE_CHECKING:
    from convertkit.api import passes

_RANDOM = {
    "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
}  # fmt: skip
_QUANTISATION = {"DequantizeLinear", "DynamicQuantizeLinear", "QuantizeLinear"}
_STAYS = _RANDOM | _QUANTISATION | {"Constant"}

_GROWS = {"ConstantOfShape", "Expand", "EyeLike", "OneHot", "Pad", "Range", "Resize", "Tile", "Upsample"}
"""Their results may be far larger than their inputs: each waits until its inputs are constants to look at."""


_MOVES = {
    "Cast", "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Reshape", "Shape",
    "Size", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
"""All that is folded in half precision: onnxruntime computes a chain of its arithmetic in float and rounds once, so
that a part of the chain has other bits."""


class Folder:
    """Folds a graph round by round."""

    def __init__(self, graph: passes.Graph, limit: int) -> None:
        self.graph = graph
        self.limit = limit
        self._outputs = {id(tensor) for tensor in graph.outputs}
        self._refused: set[int] = set()
        tensors = graph.surgeon.tensors().values()
        self._given = sum(stated_bytes(tensor) for tensor in tensors if isinstance(tensor, gs.Constant))

    def fold(self) -> int:
        """Folds everything that constants decide, as far as nodes with growing results allow in one go.

        Returns:
            how many tensors became constants or turned out not to; 0 = nothing is left to do.
        """
        ready = self._without_huge(self._ready())
        inside = {id(node) for node in ready}
        wanted = [tensor for node in ready for tensor in node.outputs if _is_needed(tensor, inside)]
        values = compute(self.graph, ready, wanted) if wanted else []
        for tensor, value in zip(wanted, values, strict=True):
            self._place(tensor, value)
        return len(wanted)

    def _ready(self) -> list[Any]:
        """The nodes that can be computed now, in order."""
        ready: list[Any] = []
        done: set[int] = set()
        half: set[int] = set()
        for node in self.graph.nodes:
            reads_half = any(id(tensor) in half or _is_half(tensor) for tensor in node.inputs)
            if (reads_half and node.op not in _MOVES) or _is_left_out(node):
                continue
            if self._is_foldable(node) and self._is_decided(node, done) and self._is_small(node):
                ready.append(node)
                done.update(id(tensor) for tensor in node.outputs)
                if reads_half or node.op == "Cast":
                    half.update(id(tensor) for tensor in node.outputs)
        return ready

    def _without_huge(self, ready: list[Any]) -> list[Any]:
        """Those whose results, and what they are computed from, may be written: a short chain can fill the memory."""
        sizes = result_bytes(self.graph, ready) if ready else {}
        kept: list[Any] = []
        for node in ready:
            size = max((sizes.get(tensor.name, 0) for tensor in node.outputs), default=0)
            if size > max(self.limit, self._given):
                self._refused.update(id(tensor) for tensor in node.outputs)
            if not any(id(tensor) in self._refused for tensor in (*node.inputs, *node.outputs)):
                kept.append(node)
        return kept

    def _is_foldable(self, node: Any) -> bool:
        if not node.outputs or node.op in _STAYS or node.domain not in (None, "", "ai.onnx"):
            return False
        if any(id(tensor) in self._refused or id(tensor) in self._outputs for tensor in node.outputs):
            return False
        return not any(True for _ in node.subgraphs())

    def _is_decided(self, node: Any, done: set[int]) -> bool:
        """Whether every input is a constant, or will be in this round."""
        return all(
            tensor.is_empty()
            or isinstance(tensor, gs.Constant)
            or (node.op not in _GROWS and id(tensor) in done)
            for tensor in node.inputs
        )

    def _is_small(self, node: Any) -> bool:
        """Whether the results, as far as their size can be told beforehand, may be written."""
        size = max(sum(stated_bytes(tensor) for tensor in node.outputs), _grown_bytes(node))
        return size <= self._most([node])

    def _most(self, nodes: Sequence[Any]) -> int:
        """Bytes that a result may have: as many as what it replaces, and as all constants that the graph came with."""
        replaced = sum(stated_bytes(item) for node in nodes for item in node.inputs)
        return max(self.limit, min(replaced, self._given))

    def _place(self, tensor: Any, value: NDArray[Any] | None) -> None:
        """Puts a value in place, or remembers that it must not be."""
        if value is None or value.nbytes > self._most(tensor.inputs):
            self._refused.add(id(tensor))
        else:
            become_constant(self.graph, tensor, value)


def _is_half(tensor: Any) -> bool:
    kind = tensor.dtype
    return kind is not None and (isinstance(kind, int) or np.dtype(kind).name in ("float16", "bfloat16"))


def _is_left_out(node: Any) -> bool:
    """A Cast to half precision before arithmetic, which onnxruntime does in float: it rounds nothing there."""
    if node.op != "Cast" or node.attrs["to"] not in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return False
    return any(reader.op not in _MOVES for tensor in node.outputs for reader in tensor.outputs)


def _is_needed(tensor: Any, inside: set[int]) -> bool:
    """Whether somebody outside the computed part reads the tensor."""
    return any(id(consumer) not in inside for consumer in tensor.outputs)


def _grown_bytes(node: Any) -> int:
    """The size of a result that the values of constant inputs decide; 0 where it is decided otherwise.

    Element sizes are taken as 8 bytes.
    """
    if node.op == "ConstantOfShape":
        return 8 * _product(node.inputs[0])
    if node.op == "Tile":
        return stated_bytes(node.inputs[0]) * _product(node.inputs[1])
    if node.op == "Expand":
        return 8 * _expanded(node.inputs[0].shape, graphs.values_of(node.inputs[1]).tolist())
    if node.op == "Range":
        start, limit, delta = (float(graphs.values_of(tensor).reshape(-1)[0]) for tensor in node.inputs)
        length = (limit - start) / delta if delta else 0.0
        return 8 * max(0, int(length)) if math.isfinite(length) else sys.maxsize
    return 0


def _expanded(dims: Sequence[int], shape: Sequence[int]) -> int:
    try:
        return math.prod(np.broadcast_shapes(tuple(dims), tuple(shape)))
    except ValueError:  # onnxruntime will say so too
        return 0


def _product(constant: Any) -> int:
    return int(np.prod(graphs.values_of(constant).astype(object))) if graphs.values_of(constant).size else 1
