"""As much of an ONNX file as the stand-in for atc looks at, read from its protobuf with the standard library alone.

The stand-in starts dozens of times in a test run; importing onnx would take longer than all else it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Node(NamedTuple):
    name: str
    op_type: str
    domain: str


class Model(NamedTuple):
    """``inputs`` holds a shape by name, -1 for a symbolic size; ``graph`` is whether there is one at all."""

    graph: bool
    nodes: tuple[Node, ...]
    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    opsets: dict[str, int]
    metadata: dict[str, str]


def read(path: Path) -> Model:
    """Raises ValueError for what is no protobuf."""
    fields = list(_fields(path.read_bytes()))
    graphs = [value for number, value in fields if number == 7]
    inside = list(_fields(_bytes(graphs[-1]))) if graphs else []
    initializers = {_text(value, 8) for number, value in inside if number == 5}
    inputs = dict(_value_info(_bytes(value)) for number, value in inside if number == 11)
    return Model(
        graph=bool(graphs),
        nodes=tuple(
            Node(_text(value, 3), _text(value, 4), _text(value, 7)) for number, value in inside if number == 1
        ),
        inputs={name: shape for name, shape in inputs.items() if name not in initializers},
        outputs=tuple(_text(value, 1) for number, value in inside if number == 12),
        opsets={_text(value, 1): _number(value, 2) for number, value in fields if number == 8},
        metadata={_text(value, 1): _text(value, 2) for number, value in fields if number == 14},
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("cut short")
            yield number, data[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {kind}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("cut short")
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 128:
            return value, at


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message was expected")
    return value


def _first(message: int | bytes, number: int) -> int | bytes | None:
    return next((value for found, value in _fields(_bytes(message)) if found == number), None)


def _text(message: int | bytes, number: int) -> str:
    value = _first(message, number)
    return value.decode() if isinstance(value, bytes) else ""


def _number(message: int | bytes, number: int) -> int:
    value = _first(message, number)
    return value if isinstance(value, int) else 0


def _value_info(message: bytes) -> tuple[str, tuple[int, ...]]:
    kind = _first(message, 2)
    tensor = _first(kind, 1) if kind is not None else None
    shape = _first(tensor, 2) if tensor is not None else None
    dims = [value for number, value in _fields(_bytes(shape)) if number == 1] if shape is not None else []
    return _text(message, 1), tuple(_number(dim, 1) if _first(dim, 1) is not None else -1 for dim in dims)
