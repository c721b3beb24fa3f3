"""ONNX files read and written without ever holding a weight twice.

protobuf parses a file by copying it, and serialises by copying again into a buffer that doubles as it grows. A model
is weights to 99 percent; here they go straight from the file into the weight table, and from there into the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import IO, Any

import onnx
from onnx import TensorProto
from onnx.external_data_helper import uses_external_data

from convertkit.graph.light import THRESHOLD, LightModel, detach, point, weight_key
from convertkit.graph.nested import every_graph

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
"""Field numbers of ``ModelProto.graph``, ``GraphProto.initializer`` and ``TensorProto.raw_data``."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class UnusualFileError(ValueError):
    """The file has to be read by the onnx library: it is broken, or its data lies elsewhere."""


@dataclass(frozen=True)
class _Field:
    """Where a field of a message lies in the file: its tag at ``position``, its ``size`` bytes from ``start`` on."""

    number: int
    position: int
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


def read(stream: IO[bytes], size: int) -> LightModel:
    """The light model in a file of ``size`` bytes, the same as ``detach`` makes of the whole model.

    Raises:
        UnusualFileError: use the onnx library.
    """
    table: dict[str, bytes] = {}
    try:
        slim = b"".join(_slim_model(stream, size, table))
        proto = onnx.ModelProto.FromString(slim)
    except Exception as error:  # protobuf's DecodeError is no ValueError
        raise UnusualFileError(str(error)) from error
    if any(uses_external_data(tensor) and weight_key(tensor) not in table for tensor in tensors(proto.graph)):
        raise UnusualFileError("it has external data")
    try:
        return detach(proto, table)
    except (ValueError, TypeError) as error:
        raise UnusualFileError(str(error)) from error


def write(model: LightModel) -> Iterator[bytes]:
    """The bytes of the self-contained model, in pieces: what protobuf's own deterministic serialisation gives."""
    graph = model.proto.graph
    pieces = [_part(graph, lambda number: number < _INITIALIZER)]
    for tensor in graph.initializer:
        pieces += _tensor_pieces(tensor, model)
    pieces.append(_part(graph, lambda number: number > _INITIALIZER))
    yield _part(model.proto, lambda number: number < _GRAPH)
    yield _head(_GRAPH, sum(len(piece) for piece in pieces))
    yield from pieces
    yield _part(model.proto, lambda number: number > _GRAPH)


def _slim_model(stream: IO[bytes], size: int, table: dict[str, bytes]) -> Iterator[bytes]:
    for item in _fields(stream, 0, size):
        if item.number == _GRAPH:
            graph = b"".join(_slim_graph(stream, item, table))
            yield _head(_GRAPH, len(graph)) + graph
        else:
            yield _read(stream, item.position, item.end)


def _slim_graph(stream: IO[bytes], graph: _Field, table: dict[str, bytes]) -> Iterator[bytes]:
    for item in _fields(stream, graph.start, graph.end):
        if item.number == _INITIALIZER and item.size >= THRESHOLD:
            tensor = _slim_tensor(stream, item, table)
            yield _head(_INITIALIZER, len(tensor)) + tensor
        else:
            yield _read(stream, item.position, item.end)


def _slim_tensor(stream: IO[bytes], tensor: _Field, table: dict[str, bytes]) -> bytes:
    fields = list(_fields(stream, tensor.start, tensor.end))
    raw = [item for item in fields if item.number == _RAW_DATA]
    rest = b"".join(_read(stream, item.position, item.end) for item in fields if item.number != _RAW_DATA)
    slim = TensorProto.FromString(rest)
    if (
        len(raw) != 1
        or raw[0].size < THRESHOLD
        or slim.data_type in (TensorProto.STRING, TensorProto.UNDEFINED)
    ):
        return _read(stream, tensor.start, tensor.end)
    data = _read(stream, raw[0].start, raw[0].end)
    key = hashlib.sha256(data).hexdigest()
    table.setdefault(key, data)
    point(slim, key, len(data))
    return slim.SerializeToString(deterministic=True)


def _fields(stream: IO[bytes], start: int, end: int) -> Iterator[_Field]:
    """The fields of a message; the stream may be moved between two of them."""
    position = start
    while position < end:
        stream.seek(position)
        tag = _varint(stream)
        kind = tag & 7
        if kind == _BYTES:
            size = _varint(stream)
            begin = stream.tell()
        else:
            begin = stream.tell()
            size = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
            if kind == _VARINT:
                _varint(stream)
                size = stream.tell() - begin
        if size < 0 or begin + size > end:
            raise UnusualFileError("a field passes the end of its message")
        yield _Field(tag >> 3, position, begin, size)
        position = begin + size


def _varint(stream: IO[bytes]) -> int:
    value = shift = 0
    while shift < 64:
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
    raise UnusualFileError("a number does not end")


def _read(stream: IO[bytes], start: int, end: int) -> bytes:
    stream.seek(start)
    data = stream.read(end - start)
    if len(data) != end - start:
        raise UnusualFileError("the file is cut off")
    return data


def _tensor_pieces(tensor: TensorProto, model: LightModel) -> list[bytes]:
    key = weight_key(tensor)
    if key is None:
        data = tensor.SerializeToString(deterministic=True)
        return [_head(_INITIALIZER, len(data)), data]
    plain = deepcopy(tensor)
    plain.ClearField("external_data")
    plain.ClearField("data_location")
    before = _part(plain, lambda number: number < _RAW_DATA)
    weight = model.weights[key]
    middle = _head(_RAW_DATA, len(weight))
    after = _part(plain, lambda number: number > _RAW_DATA)
    size = len(before) + len(middle) + len(weight) + len(after)
    return [_head(_INITIALIZER, size), before, middle, weight, after]


def _part(message: Any, wanted: Callable[[int], bool]) -> bytes:
    """The serialised fields of a message whose numbers are wanted."""
    part = type(message)()
    for descriptor, value in message.ListFields():
        if not wanted(descriptor.number):
            continue
        if hasattr(value, "MergeFrom"):
            getattr(part, descriptor.name).MergeFrom(value)
        else:
            setattr(part, descriptor.name, value)
    return bytes(part.SerializeToString(deterministic=True))


def _head(number: int, size: int) -> bytes:
    """The tag and the length that stand before ``size`` bytes."""
    head = bytearray()
    for value in (number << 3 | _BYTES, size):
        while value >= 0x80:
            head.append(value & 0x7F | 0x80)
            value >>= 7
        head.append(value)
    return bytes(head)


def tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Every initializer and attribute of a graph and of those inside it."""
    for part in every_graph(graph):
        yield from part.initializer
        for node in part.node:
            for attribute in node.attribute:
                yield from [attribute.t, *attribute.tensors]
