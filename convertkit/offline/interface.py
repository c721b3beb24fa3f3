"""What goes into a compiled model and what comes out of it: names, dtypes and shapes, in order.

A raw file says nothing of itself, so everything that is read or written here is checked against an interface.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.errors import GraphError, SpecError, UsageError, suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.models.spec import ModelSpec

DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
_TENSOR = re.compile(r"(?P<name>[^\s=,]+)=(?P<dtype>[a-z0-9]+):(?P<shape>\d+(?:x\d+)*)")


@dataclass(frozen=True)
class TensorInfo:
    """One input or output: its name, its dtype by numpy's name, its shape in elements."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """The size of a raw file of it, in bytes."""
        return self.elements * np.dtype(self.dtype).itemsize

    def of_one(self, batch: int) -> TensorInfo:
        """One picture's part, where several lie along the first axis: what a file of it holds.

        Raises:
            UsageError: it has no ``batch`` equal parts.
        """
        if batch > 1 and (not self.shape or self.shape[0] % batch):
            raise UsageError(f"{self} is not of {batch} pictures", hint="build it with the same --batch")
        return replace(self, shape=(self.shape[0] // batch, *self.shape[1:])) if batch > 1 else self

    def __str__(self) -> str:
        return f"{self.name}={self.dtype}:{'x'.join(map(str, self.shape))}"


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a model in the order of its graph: the order of a compiled model's files."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]

    def of_one(self, batch: int) -> Interface:
        """That of one picture of ``batch``: see :meth:`TensorInfo.of_one`."""
        inputs, outputs = (tuple(each.of_one(batch) for each in some) for some in (self.inputs, self.outputs))
        return Interface(inputs, outputs)


def parse_shapes(text: str) -> tuple[TensorInfo, ...]:
    """Reads ``dets=float32:100x5,labels=int32:100``.

    Raises:
        UsageError: another form, a dtype nobody knows, an empty tensor or a name given twice.
    """
    found = []
    for part in text.split(","):
        match = _TENSOR.fullmatch(part.strip())
        if match is None:
            raise UsageError(
                f"--shapes: {part.strip()!r} is not NAME=DTYPE:SIZExSIZE...",
                hint="like dets=float32:100x5,labels=int32:100",
            )
        if match["dtype"] not in DTYPES:
            raise UsageError(
                f"--shapes: {match['name']}: unknown dtype {match['dtype']!r}",
                hint=suggestion(match["dtype"], DTYPES),
            )
        shape = tuple(int(side) for side in match["shape"].split("x"))
        if 0 in shape:
            raise UsageError(f"--shapes: {match['name']}: {match['shape']} has no elements")
        found.append(TensorInfo(match["name"], match["dtype"], shape))
    names = [tensor.name for tensor in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--shapes: {name} is given twice")
    return tuple(found)


def read_interface(path: Path) -> Interface:
    """The interface of an ONNX file.

    Raises:
        GraphError: no such file, no ONNX model, or an input or output without a static shape.
    """
    from convertkit.graph.input_shapes import free_inputs
    from convertkit.graph.io import load

    graph = load(path).proto.graph
    inputs, outputs = (
        tuple(_info(path, value) for value in some) for some in (free_inputs(graph), graph.output)
    )
    return Interface(inputs, outputs)


def stock_inputs(spec: ModelSpec, size: tuple[int, int]) -> tuple[TensorInfo, ...]:
    """The inputs that ``model.yaml`` declares, H and W being the variant's size.

    Raises:
        SpecError: a shape has another letter.
    """
    found = []
    for name, tensor in spec.inputs.items():
        shape = tuple(side if isinstance(side, int) else 0 for side in tensor.at(size))
        if any(side <= 0 for side in shape):
            raise SpecError(f"model.yaml: inputs.{name}: shape {list(tensor.shape)} is not known beforehand")
        found.append(TensorInfo(name, tensor.dtype or "float32", shape))
    return tuple(found)


def check_inputs(arrays: Mapping[str, NDArray[Any]], wanted: Sequence[TensorInfo]) -> dict[str, NDArray[Any]]:
    """The arrays a graph takes, in its order, each contiguous and little-endian.

    Raises:
        GraphError: one is missing, or has another dtype or shape than the graph's input.
    """
    found = {}
    for tensor in wanted:
        if tensor.name not in arrays:
            raise GraphError(
                f"the graph has an input {tensor.name!r}, but preprocessing gives only {', '.join(arrays)}"
            )
        array = arrays[tensor.name]
        if array.dtype != np.dtype(tensor.dtype) or array.shape != tensor.shape:
            given = TensorInfo(tensor.name, str(array.dtype), array.shape)
            raise GraphError(f"preprocessing gives {given}, the graph takes {tensor}")
        found[tensor.name] = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return found


def _info(path: Path, value: Any) -> TensorInfo:
    import onnx

    kind = value.type.tensor_type
    shape = tuple(dim.dim_value for dim in kind.shape.dim)
    if not kind.HasField("shape") or any(side <= 0 for side in shape):
        raise GraphError(f"{path}: {value.name} has no static shape", hint="say what it is with --shapes")
    return TensorInfo(value.name, str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)), shape)
