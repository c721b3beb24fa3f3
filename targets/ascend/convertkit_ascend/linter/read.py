"""Reading a file the way the vendor's parser does: no external data, no repair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message

from convertkit.api import graphs, targets
from convertkit_ascend.linter.subject import InputShape, Subject

MOST_BYTES = 2**31 - 1
"""A larger file is E13015 (ascend-facts: parser-file)."""

Source = Path | onnx.ModelProto | targets.LightModel


def read(source: Source, input_shape: InputShape | None = None) -> Subject:
    """The subject of an examination.

    Args:
        source: a file, or a model. Of a file too large for the compiler only the size is looked at.

    Raises:
        GraphError: there is no such file, or it is no protobuf message of ONNX.
    """
    if isinstance(source, onnx.ModelProto):
        return Subject(source, source.ByteSize(), input_shape=input_shape)
    if isinstance(source, targets.LightModel):
        used = {graphs.weight_key(tensor) for tensor in source.detached()}
        size = source.proto.ByteSize() + sum(len(data) for key, data in source.weights.items() if key in used)
        return Subject(source.proto, size, weights=source.weights, input_shape=input_shape)
    return _read_file(Path(source), input_shape)


def _read_file(path: Path, input_shape: InputShape | None) -> Subject:
    if not path.is_file():
        raise targets.GraphError(f"{path}: no such file")
    size = path.stat().st_size
    proto = onnx.ModelProto()
    if 0 < size <= MOST_BYTES:
        try:
            proto.ParseFromString(path.read_bytes())
        except DecodeError as error:
            raise targets.GraphError(f"{path}: not an ONNX file ({error})") from error
        if not proto.HasField("graph"):
            raise targets.GraphError(f"{path}: not an ONNX model, it has no graph")
    return Subject(proto, size, path.parent, input_shape=input_shape)


def undecodable(message: Message, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Fields of type string that are no UTF-8: where, and what.

    protobuf for Python decodes a string as late as it is read, and hands out bytes where it cannot.
    """
    for descriptor, value in message.ListFields():
        where = f"{path}.{descriptor.name}" if path else descriptor.name
        if isinstance(value, Message):
            yield from undecodable(value, where)
        elif descriptor.message_type is not None:
            for number, inner in enumerate(value):
                yield from undecodable(inner, f"{where}[{number}]")
        elif descriptor.type == descriptor.TYPE_STRING:
            for text in [value] if isinstance(value, (str, bytes)) else value:
                if isinstance(text, bytes):
                    yield where, text
