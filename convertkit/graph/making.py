"""How each tensor of a graph is made: equal digests are equal values, in whatever graph and under whatever name.

A digest is of a node's operator, its version, attributes and of the digests of what it takes; of a constant, the
values; of a graph input, what it is fed. ``Identity`` hands a digest on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convertkit.graph.light import weight_key
from convertkit.graph.nested import captured
from convertkit.graph.session import Arrays

if TYPE_CHECKING:
    import onnx

    from convertkit.graph.light import LightModel


@dataclass(frozen=True)
class Step:
    """A node: its place in the graph, a digest of what it does, and the tensors that it takes, in its bodies too."""

    at: int
    does: bytes
    takes: tuple[str, ...]
    makes: tuple[str, ...]
    hands_on: bool


@dataclass(frozen=True)
class Making:
    """What of a graph's digests is the same whatever it is fed.

    Attributes:
        inputs: with their ONNX element types.
        constants: initializers and the outputs of ``Constant``.
        nodes: all others.
    """

    inputs: tuple[tuple[str, int], ...]
    constants: dict[str, bytes]
    nodes: tuple[Step, ...]

    @classmethod
    def of(cls, model: LightModel) -> Making:
        """Of a graph whose functions, if it has any, are a part of what every node does."""
        graph = model.proto.graph
        versions = {item.domain: item.version for item in model.proto.opset_import}
        functions = _digest(*(item.SerializeToString(deterministic=True) for item in model.proto.functions))
        constants = {tensor.name: _constant(tensor) for tensor in graph.initializer}
        nodes = []
        for at, node in enumerate(graph.node):
            standard = node.domain in ("", "ai.onnx")
            value = next((item.t for item in node.attribute if item.name == "value"), None)
            if standard and node.op_type == "Constant" and value is not None:
                constants[node.output[0]] = _constant(value)
                continue
            does = _digest(functions, *_does(node, versions.get(node.domain, 0)))
            takes = (*node.input, *sorted(captured(node)))
            hands_on = standard and node.op_type == "Identity"
            nodes.append(Step(at, does, takes, tuple(node.output), hands_on))
        inputs = tuple((value.name, value.type.tensor_type.elem_type) for value in graph.input)
        return cls(inputs, constants, tuple(nodes))

    def fed(self, feeds: Arrays) -> dict[str, bytes]:
        """The digest of every tensor; none of one that is made of an input without a value."""
        given = ((name, kind) for name, kind in self.inputs if name in feeds)
        made = {
            **self.constants,
            **{name: _digest(b"%d" % kind, _values(feeds[name])) for name, kind in given},
        }
        made[""] = b""
        for step in self.nodes:
            if not all(name in made for name in step.takes):
                continue
            if step.hands_on:
                made[step.makes[0]] = made[step.takes[0]]
                continue
            whole = _digest(step.does, *(made[name] for name in step.takes))
            made.update((name, _digest(whole, b"%d" % at)) for at, name in enumerate(step.makes) if name)
        del made[""]
        return made


def _does(node: onnx.NodeProto, version: int) -> Iterator[bytes]:
    """A node without the names of what it takes and makes; those in its bodies stay, and make it differ."""
    yield f"{node.domain}/{node.op_type}/{version}/{''.join('01'[bool(name)] for name in node.output)}".encode()
    for attribute in sorted(node.attribute, key=lambda item: item.name):
        yield attribute.SerializeToString(deterministic=True)


def _constant(tensor: onnx.TensorProto) -> bytes:
    key = weight_key(tensor)
    if key is not None:
        data = bytes.fromhex(key)
    elif tensor.HasField("raw_data"):
        data = hashlib.sha256(tensor.raw_data).digest()
    else:
        data = hashlib.sha256(_values_of(tensor)).digest()
    return _digest(b"constant", f"{tensor.data_type}/{tuple(tensor.dims)}".encode(), data)


def _values_of(tensor: onnx.TensorProto) -> bytes:
    from onnx import TensorProto, numpy_helper

    if tensor.data_type == TensorProto.STRING:
        return b"\0".join(b"%d:" % len(item) + item for item in tensor.string_data)
    return bytes(numpy_helper.to_array(tensor).tobytes())


def _values(array: object) -> bytes:
    found = np.asarray(array)
    told = f"{found.dtype.str}/{found.shape}".encode()
    if found.dtype.hasobject:
        return _digest(told, repr(found.tolist()).encode())
    return _digest(told, np.ascontiguousarray(found).data.cast("B") if found.size else b"")


def _digest(*parts: bytes | memoryview) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()
