"""The values of a graph's inner tensors on one sample, recorded when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel
from convertkit.graph.session import Arrays
from convertkit.graph.shapes import inferred
from convertkit.passes.running import open_on_host

CHUNK = 1 << 29
"""Bytes of tensors that one run may hand out (as far as their shapes are known beforehand)."""

KEPT = 1 << 30
"""Bytes of values kept for later questions."""

UNKNOWN = 1 << 20
"""Assumed size of a tensor of unknown shape, bytes."""


class Recorder:
    """Runs a graph on one sample with inner tensors as further outputs.

    Attributes:
        names: the tensors that nodes of the graph's top level write, in file order.
    """

    def __init__(self, model: LightModel, inputs: Arrays) -> None:
        self._model, self._inputs = model, dict(inputs)
        self.names = tuple(name for node in model.proto.graph.node for name in node.output if name)
        self._types = _types(model)
        self._known: dict[str, NDArray[Any]] = dict(inputs)

    def values(self, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        """The values of some tensors (and graph inputs); those that have none (sequences) are left out.

        Raises:
            GraphError: the graph cannot be run.
        """
        return {name: value for chunk in self.chunks(names) for name, value in chunk.items()}

    def chunks(self, names: Iterable[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """As :meth:`values`, in several parts of bounded size."""
        wanted = list(dict.fromkeys(names))
        known = {name: self._known[name] for name in wanted if name in self._known}
        if known:
            yield known
        possible = set(self.names)
        for part in self._parts([name for name in wanted if name in possible and name not in known]):
            found = self._run(part)
            self._keep(found)
            yield found

    def _run(self, names: list[str]) -> dict[str, NDArray[Any]]:
        proto = deepcopy(self._model.proto)
        del proto.graph.output[:]
        proto.graph.output.extend(self._types.get(name, onnx.ValueInfoProto(name=name)) for name in names)
        values = open_on_host(LightModel(proto, self._model.weights))(self._inputs)
        return {
            name: value for name, value in zip(names, values, strict=True) if isinstance(value, np.ndarray)
        }

    def _parts(self, names: list[str]) -> Iterator[list[str]]:
        part: list[str] = []
        room = CHUNK
        for name in names:
            size = self._size(name)
            if part and size > room:
                yield part
                part, room = [], CHUNK
            part.append(name)
            room -= size
        if part:
            yield part

    def _size(self, name: str) -> int:
        """Bytes of a tensor, as far as inference can tell."""
        kind = self._types[name].type.tensor_type if name in self._types else onnx.TypeProto.Tensor()
        dims = [dim.dim_value for dim in kind.shape.dim]
        if kind.elem_type in (0, onnx.TensorProto.STRING) or not all(dims):
            return UNKNOWN
        return math.prod(dims) * int(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize)

    def _keep(self, found: dict[str, NDArray[Any]]) -> None:
        total = sum(value.nbytes for value in (*self._known.values(), *found.values()))
        if total <= KEPT:
            self._known.update(found)


def _types(model: LightModel) -> dict[str, onnx.ValueInfoProto]:
    """Types and shapes by inference; none where it cannot make sense of the graph."""
    try:
        graph = inferred(model, strict=False).graph
    except GraphError:
        return {}
    return {value.name: value for value in (*graph.value_info, *graph.output)}
