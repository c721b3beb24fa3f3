"""A graph whose inputs get the sizes that somebody tells, and everything behind them the sizes that follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy

import onnx

from convertkit.errors import GraphError, UsageError, suggestion
from convertkit.graph.light import LightModel, default_inputs
from convertkit.graph.nested import every_graph
from convertkit.graph.shapes import inferred
from convertkit.graph.sizes import Sizes, symbol

Told = Mapping[str, Sequence[int]]


def with_sizes(model: LightModel, shapes: Told) -> LightModel:
    """A graph whose inputs have the sizes told, by name; -1 leaves one open. A symbol is one size everywhere.

    No node changes. Types and shapes of everything behind the inputs are inferred anew: what the graph said of them was
    said of other sizes. A graph that states all that is told already is returned as it is.

    Raises:
        UsageError: no such input, another number of sizes than it has, a size that the graph, a default or another
            input contradicts; or nodes do not fit each other at these sizes, with the node's name.
    """
    proto = deepcopy(model.proto)
    known = _known(proto, shapes)
    if not known:
        return model
    for part in every_graph(proto.graph):
        for value in (*part.input, *part.value_info, *part.output):
            _fill(value, known)
    _infer_anew(proto, model)
    return LightModel(proto, model.weights)


def set_sizes(value: onnx.ValueInfoProto, sizes: Sequence[int]) -> None:
    """Makes these the sizes of an input, whatever it had; a negative one is open."""
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    shape.SetInParent()
    for size in sizes:
        dim = shape.dim.add()
        if size >= 0:
            dim.dim_value = size


def _known(proto: onnx.ModelProto, shapes: Told) -> Sizes:
    """The size of every symbol that something is told of."""
    defaults = set(default_inputs(proto))
    weights = {tensor.name: tuple(tensor.dims) for tensor in proto.graph.initializer}
    values = [value for value in proto.graph.input if value.name not in weights or value.name in defaults]
    inputs = {value.name: value for value in values}
    known: Sizes = {}
    owner: dict[str, str] = {}
    for name, shape in shapes.items():
        if name not in inputs:
            raise UsageError(f"the graph has no input {name!r}", hint=suggestion(name, inputs))
        for axis, size in _told(inputs[name], shape):
            symbolic = symbol(inputs[name], axis)
            stated = inputs[name].type.tensor_type.shape.dim[axis].dim_value
            wanted = known.setdefault(symbolic, size) if symbolic else stated
            if size != wanted:
                shared = f": its {symbolic!r} is that of input {owner[symbolic]!r}" if symbolic else ""
                raise UsageError(f"input {name!r} has size {wanted} on axis {axis}, not {size}{shared}")
            owner.setdefault(symbolic, name)
    for name in defaults:
        for axis, size in enumerate(weights[name]):
            wanted = known.get(symbol(inputs[name], axis), size)
            if size != wanted:
                raise UsageError(f"input {name!r} has a default of size {size} on axis {axis}, not {wanted}")
    known.pop("", None)
    return known


def _told(value: onnx.ValueInfoProto, shape: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Axes and their sizes, of those that are told; an input without a shape gets an open one of that rank."""
    kind = value.type.WhichOneof("value") or "tensor_type"
    if kind != "tensor_type":
        raise UsageError(f"input {value.name!r} is a {kind.removesuffix('_type')}, which has no sizes to set")
    if not value.type.tensor_type.HasField("shape"):
        set_sizes(value, [-1] * len(shape))
    rank = len(value.type.tensor_type.shape.dim)
    if rank != len(shape):
        raise UsageError(f"input {value.name!r} has {rank} sizes, not {len(shape)}")
    return ((axis, size) for axis, size in enumerate(shape) if size != -1)


def _fill(value: onnx.ValueInfoProto, known: Sizes) -> None:
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        if (name := symbol(value, axis)) in known:
            dim.dim_value = known[name]


def _infer_anew(proto: onnx.ModelProto, model: LightModel) -> None:
    """Replaces what is said of tensors behind the inputs by what inference finds.

    What only the file can know stays: of operators without a schema, of sizes that depend on data.
    """
    graph = proto.graph
    said, outputs = ([deepcopy(value) for value in values] for values in (graph.value_info, graph.output))
    symbols = {dim.dim_param for value in graph.input for dim in value.type.tensor_type.shape.dim}
    del graph.value_info[:]
    for value in graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    found = _inferred(proto, model)
    if lost := [value for value in said if not _has_shape(found.get(value.name))]:
        graph.value_info.extend(lost)
        with suppress(UsageError):  # it contradicts the new sizes: it was true of others
            found = _inferred(proto, model)
    for value, declared in zip(graph.output, outputs, strict=True):
        value.CopyFrom(_merged(found.pop(value.name, declared), declared))
    del graph.value_info[:]
    for value in found.values():
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param not in symbols:  # inference counts its own: unk__0, unk__1, ...
                dim.ClearField("dim_param")
    graph.value_info.extend(found.values())


def _inferred(proto: onnx.ModelProto, model: LightModel) -> dict[str, onnx.ValueInfoProto]:
    """What inference finds, by name: outputs, and what lies between."""
    sparse = bool(proto.graph.sparse_initializer)  # of which inference knows nothing
    try:
        graph = inferred(LightModel(proto, model.weights), strict=not sparse).graph
    except GraphError as error:
        raise UsageError(
            f"the graph does not work at these sizes: {error.message}", hint=error.hint
        ) from error
    return {value.name: value for value in (*graph.value_info, *graph.output)}


def _has_shape(value: onnx.ValueInfoProto | None) -> bool:
    if value is None:
        return False
    return value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape")


def _merged(found: onnx.ValueInfoProto, declared: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    """An output as it is inferred; as it was declared where inference does not tell a size."""
    if not _has_shape(found):
        return declared
    if _has_shape(declared):
        dims, old = found.type.tensor_type.shape.dim, declared.type.tensor_type.shape.dim
        if len(dims) == len(old):
            for dim, was in zip(dims, old, strict=True):
                if not dim.HasField("dim_value"):
                    dim.CopyFrom(was)
    return found
