"""A graph as a comparison sees it: constants are values, names are only names, and a body is part of its node."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, weight_key
from convertkit.graph.nested import every_node
from convertkit.graph.shapes import inferred

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 8
"""Values of a constant that are written out."""

OPEN_RANK = "..."
"""In place of the sizes of a tensor of which not even their number is known."""

SCALARS = {"value_int", "value_ints", "value_float", "value_floats"}


@dataclass(frozen=True)
class Constant:
    """An initializer, or what a ``Constant`` node gives."""

    tensor: TensorProto
    model: LightModel = field(repr=False)

    @cached_property
    def key(self) -> str:
        """Type, shape and values, as one text; equal for equal constants."""
        return f"{self.kind} {weight_key(self.tensor) or _sha256(self.array.tobytes())}"

    @cached_property
    def kind(self) -> str:
        """``float32[64, 3, 7, 7]``."""
        return _kind(self.tensor.data_type, self.tensor.dims)

    @cached_property
    def array(self) -> NDArray[Any]:
        """The values; of text, what tells one from another."""
        found = self.model.array(self.tensor)
        return found if found.dtype != object else np.array([repr(found.tolist())])

    def __str__(self) -> str:
        if 0 < self.array.size <= FEW and self.tensor.data_type != TensorProto.STRING:
            return f"{self.kind} {self.array.tolist()}"
        return self.kind


@dataclass(frozen=True, eq=False)
class Vertex:
    """A node.

    Attributes:
        attributes: by name; what a body holds is in its text, in which tensors have numbers for names.
        inputs: names of tensors, "" where one is left out; then those that its bodies read from outside.
    """

    index: int
    name: str
    op: str
    attributes: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Drawing:
    """A graph to be compared.

    Attributes:
        vertices: its nodes in their order, without those of ``Constant``.
        constants: by name.
        inputs, outputs: names of the graph's own, constants not among them.
        kinds: ``float32[1, 3, 640, W]`` by tensor, as far as it is declared or follows.
    """

    def __init__(self, model: LightModel) -> None:
        graph = model.proto.graph
        self.model = model
        self.constants = {tensor.name: Constant(tensor, model) for tensor in graph.initializer}
        self.vertices: list[Vertex] = []
        bodies = _functions(model.proto)
        for node in graph.node:
            value = _constant(node, model)
            if value is not None:
                self.constants[node.output[0]] = value
            else:
                self.vertices.append(_vertex(len(self.vertices), node, bodies))
        self.inputs = [value.name for value in graph.input if value.name not in self.constants]
        self.outputs = [value.name for value in graph.output]

    @cached_property
    def makers(self) -> dict[str, tuple[Vertex, int]]:
        """The node that writes a tensor, and as which of its outputs."""
        return {
            name: (vertex, slot)
            for vertex in self.vertices
            for slot, name in enumerate(vertex.outputs)
            if name
        }

    @cached_property
    def readers(self) -> dict[str, list[tuple[Vertex, int]]]:
        """The nodes that read a tensor, and as which of their inputs."""
        found: dict[str, list[tuple[Vertex, int]]] = {}
        for vertex in self.vertices:
            for slot, name in enumerate(vertex.inputs):
                found.setdefault(name, []).append((vertex, slot))
        return found

    @cached_property
    def kinds(self) -> dict[str, str]:
        try:
            graph = inferred(self.model, strict=False).graph
        except GraphError:  # a graph that contradicts itself can be compared all the same
            graph = self.model.proto.graph
        values = [
            value
            for value in (*graph.value_info, *graph.input, *graph.output)
            if value.type.HasField("tensor_type")
        ]
        return {value.name: _declared(value.type.tensor_type) for value in values}


def _vertex(index: int, node: onnx.NodeProto, functions: Mapping[str, str]) -> Vertex:
    captured: dict[str, str] = {}
    attributes = {
        item.name: _attribute(item, {}, captured)
        for item in sorted(node.attribute, key=lambda item: item.name)
    }
    op = _op(node)
    if op in functions:
        attributes["(function)"] = functions[op]
    name = node.name or next(filter(None, node.output), "")
    return Vertex(index, name, op, attributes, (*node.input, *captured), tuple(node.output))


def _op(node: onnx.NodeProto) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type


def _constant(node: onnx.NodeProto, model: LightModel) -> Constant | None:
    if _op(node) != "Constant" or len(node.attribute) != 1:
        return None
    item = node.attribute[0]
    if item.name == "value":
        return Constant(item.t, model)
    if item.name in SCALARS:
        dtype = np.int64 if "int" in item.name else np.float32
        array = np.array(onnx.helper.get_attribute_value(item), dtype)
        return Constant(numpy_helper.from_array(array), model)
    return None


def _attribute(item: AttributeProto, names: Mapping[str, str], captured: dict[str, str]) -> str:
    """The value as text, equal for equal values."""
    if item.type == AttributeProto.GRAPH:
        return _body(item.g, names, captured)
    if item.type == AttributeProto.GRAPHS:
        return "\n".join(_body(graph, names, captured) for graph in item.graphs)
    if item.type == AttributeProto.TENSOR:
        return _tensor(item.t)
    if item.type == AttributeProto.STRING:
        return repr(item.s.decode(errors="backslashreplace"))
    if item.ref_attr_name:
        return f"@{item.ref_attr_name}"
    value = onnx.helper.get_attribute_value(item)
    return repr(list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else value)


def _body(graph: Any, outer: Mapping[str, str], captured: dict[str, str]) -> str:
    """A subgraph or a function in text, a line a node; what it reads from outside joins ``captured``."""
    names = dict(outer)

    def number(name: str) -> str:
        return names.setdefault(name, f"%{len(names)}") if name else ""

    def read(name: str) -> str:
        return names[name] if name in names or not name else captured.setdefault(name, f"^{len(captured)}")

    names[""] = ""
    arguments = [number(getattr(value, "name", value)) for value in graph.input]
    lines = [f"({', '.join(arguments)})"]
    for tensor in getattr(graph, "initializer", ()):
        names[tensor.name] = _tensor(tensor)
    for node in graph.node:
        inputs = ", ".join(read(name) for name in node.input)
        items = sorted(node.attribute, key=lambda item: item.name)
        options = ", ".join(f"{item.name}={_attribute(item, names, captured)}" for item in items)
        lines.append(f"{', '.join(number(name) for name in node.output)} = {_op(node)}<{options}>({inputs})")
    results = ", ".join(read(getattr(value, "name", value)) for value in graph.output)
    return "\n".join([*lines, f"=> {results}"])


def _functions(proto: onnx.ModelProto) -> dict[str, str]:
    """The bodies of a model's own functions, by operator; those that nobody calls are not in the graph."""
    called = {_op(node) for node in every_node(proto.graph)}
    found = {}
    for function in proto.functions:
        called |= {_op(node) for node in every_node(function)}
    for function in proto.functions:
        op = f"{function.domain}.{function.name}"
        if op in called:
            found[op] = _body(function, {}, {})
    return found


def _tensor(tensor: TensorProto) -> str:
    kind = _kind(tensor.data_type, tensor.dims)
    data = weight_key(tensor) or numpy_helper.to_array(tensor)
    if isinstance(data, str):
        return f"{kind} {data}"
    flat = data.reshape(-1).tolist()
    return f"{kind} {flat}" if len(flat) <= FEW else f"{kind} {_sha256(repr(flat).encode())}"


def _kind(data_type: int, dims: Iterable[int | str]) -> str:
    if data_type == TensorProto.STRING:
        name = "string"
    else:
        name = str(onnx.helper.tensor_dtype_to_np_dtype(data_type)) if data_type else "?"
    sizes = list(dims)
    return f"{name}[{', '.join(map(str, sizes))}]" if sizes else name


def _declared(kind: onnx.TypeProto.Tensor) -> str:
    if not kind.HasField("shape"):
        return _kind(kind.elem_type, [OPEN_RANK])
    return _kind(kind.elem_type, list(_sizes(kind.shape.dim)))


def _sizes(dims: Iterable[Any]) -> Iterator[int | str]:
    """An open size is ``?``, whatever it is called: its name is the exporter's, or inference's own."""
    for dim in dims:
        yield dim.dim_value if dim.HasField("dim_value") else "?"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
