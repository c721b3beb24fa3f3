"""Models whose large weights travel beside the protobuf instead of inside it.

A detection model is one or two megabytes of nodes and a hundred or more of weights that no pass looks at.
:class:`LightModel` keeps each large initializer as a named, typed and shaped ``TensorProto`` without data, and
the bytes in a table keyed by their sha256. Passes, caches and checks then handle megabytes; equal weights
are stored once; and the digest of the small protobuf covers every weight through its hash.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weights = Mapping[str, bytes]
"""sha256 (hex) -> raw little-endian tensor data."""

THRESHOLD = 1024
"""Initializers of at least this many bytes are detached; shapes, axes and indices stay in the graph."""

_SCHEME = "sha256-"


@dataclass(frozen=True)
class LightModel:
    """An ONNX model without its large weights, and the weights.

    Attributes:
        proto: the model; detached initializers have ``data_location`` EXTERNAL and location ``sha256-<hex>``.
        weights: the data of every detached initializer.
    """

    proto: onnx.ModelProto
    weights: Weights

    @property
    def size(self) -> int:
        """Bytes of the whole model, weights included."""
        return self.proto.ByteSize() + sum(len(data) for data in self.weights.values())

    def digest(self) -> str:
        """The sha256 of the whole model, weights included (through their hashes)."""
        return hashlib.sha256(self.proto.SerializeToString(deterministic=True)).hexdigest()

    def detached(self) -> Iterator[TensorProto]:
        """The initializers whose data is in :attr:`weights`."""
        return (tensor for tensor in self.proto.graph.initializer if weight_key(tensor) is not None)

    def array(self, tensor: TensorProto) -> NDArray[Any]:
        """The values of an initializer, detached or not; read-only when detached."""
        key = weight_key(tensor)
        if key is None:
            return numpy_helper.to_array(tensor)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        if len(self.weights[key]) != math.prod(tensor.dims) * dtype.itemsize:  # several values share a byte
            return numpy_helper.to_array(_with_data(tensor, self.weights[key]))
        return np.frombuffer(self.weights[key], dtype=dtype).reshape(tuple(tensor.dims))


def weight_key(tensor: TensorProto) -> str | None:
    """The sha256 under which a detached initializer's data is kept, or None for an ordinary tensor."""
    if tensor.data_location != TensorProto.EXTERNAL:
        return None
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    return location.removeprefix(_SCHEME) if location.startswith(_SCHEME) else None


def default_inputs(proto: onnx.ModelProto) -> list[str]:
    """The graph inputs that a caller may leave out, because an initializer gives them a value.

    Below IR version 4 every initializer had to be an input, and is constant.
    """
    given = {tensor.name for tensor in proto.graph.initializer} if proto.ir_version >= 4 else set()
    return [value.name for value in proto.graph.input if value.name in given]


def take_defaults(proto: onnx.ModelProto) -> list[TensorProto]:
    """Takes the values of :func:`default_inputs` out of ``proto``, where they leave ordinary graph inputs."""
    names = set(default_inputs(proto))
    defaults = [deepcopy(tensor) for tensor in proto.graph.initializer if tensor.name in names]
    if defaults:
        kept = [deepcopy(tensor) for tensor in proto.graph.initializer if tensor.name not in names]
        del proto.graph.initializer[:]
        proto.graph.initializer.extend(kept)
    return defaults


def detach(proto: onnx.ModelProto, weights: Weights | None = None) -> LightModel:
    """Moves large initializer data out of ``proto``.

    Args:
        proto: the model; it is consumed: its large initializers lose their data.
        weights: data of initializers that are detached already.

    Returns:
        The light model. Its ``weights`` hold exactly what its graph refers to.
    """
    known = dict(weights or {})
    table: dict[str, bytes] = {}
    for tensor in proto.graph.initializer:
        key = weight_key(tensor)
        if key is not None:
            table[key] = known[key]
        elif _is_large(tensor):
            data = _raw(tensor)
            key = hashlib.sha256(data).hexdigest()
            table[key] = data
            point(tensor, key, len(data))
    slim = deepcopy(proto)  # the original's arena still holds the cleared bytes; a copy lets them go
    return LightModel(slim, table)


def attach(model: LightModel) -> onnx.ModelProto:
    """The ordinary, self-contained ONNX model."""
    proto = deepcopy(model.proto)
    for tensor in proto.graph.initializer:
        key = weight_key(tensor)
        if key is None:
            continue
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        tensor.raw_data = model.weights[key]
    return proto


def weights_as_inputs(model: LightModel, *, embed: Collection[str] = ()) -> onnx.ModelProto:
    """The graph with each detached initializer turned into a graph input of its type and shape.

    Tools that would open the weights (the ONNX checker, a simplifier) see the same types and shapes.

    Args:
        embed: names of detached initializers that get their data back instead.
    """
    proto = deepcopy(model.proto)
    listed = {value.name for value in proto.graph.input}
    kept = []
    for tensor in proto.graph.initializer:
        key = weight_key(tensor)
        if key is None or tensor.name in embed:
            kept.append(deepcopy(tensor) if key is None else _with_data(tensor, model.weights[key]))
        elif tensor.name not in listed:
            value = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            proto.graph.input.append(value)
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)
    return proto


def _with_data(tensor: TensorProto, data: bytes) -> TensorProto:
    return TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, raw_data=data)


def _is_large(tensor: TensorProto) -> bool:
    if tensor.data_type in (TensorProto.STRING, TensorProto.UNDEFINED):
        return False
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data) >= THRESHOLD
    return tensor.ByteSize() >= THRESHOLD and tensor.data_location != TensorProto.EXTERNAL


def _raw(tensor: TensorProto) -> bytes:
    if tensor.HasField("raw_data"):
        return bytes(tensor.raw_data)
    return bytes(numpy_helper.to_array(tensor).tobytes())


def point(tensor: TensorProto, key: str, length: int) -> None:
    """Lets a tensor say that its data is in the weight table under ``key``."""
    for name in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
        tensor.ClearField(name)
    tensor.data_location = TensorProto.EXTERNAL
    del tensor.external_data[:]
    for name, value in (("location", f"{_SCHEME}{key}"), ("length", str(length))):
        entry = tensor.external_data.add()
        entry.key, entry.value = name, value
