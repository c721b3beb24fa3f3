"""From the raw file to a graph with types and shapes, for the rules that need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from convertkit.api import graphs, targets
from convertkit_ascend.linter import external
from convertkit_ascend.linter.kernels import Operators
from convertkit_ascend.linter.order import in_order
from convertkit_ascend.linter.subject import InputShape, Keeps, Subject
from convertkit_ascend.linter.view import View
from convertkit_ascend.ops.lowering import take_as_vendor_operators

Declared = Mapping[str, onnx.TypeProto]
"""What the file says about its outputs; the parser never reads it."""


@dataclass(frozen=True)
class Typed:
    """A graph with its inferred types.

    Attributes:
        view: what the rules about the graph alone look at; node names are those of the file.
        declared: the types of the graph outputs as the file states them.
        operators: what the parser and the kernels of the chip take.
        keeps: as in :class:`~convertkit_ascend.linter.subject.Subject`.
    """

    view: View
    declared: Declared
    operators: Operators
    keeps: Keeps


def infer(subject: Subject, operators: Operators) -> Typed:
    """Types and shapes of everything, as far as ONNX's inference tells. Consumes ``subject.proto``.

    Nodes are sorted, sizes of ``--input_shape`` are filled in, external data is read, and what the file says about its
    outputs is set aside. Detection heads are looked at as the vendor operators that they become. No rule that
    ``stops`` may be broken.

    Raises:
        GraphError: sizes are so large that inference has no memory for them.
    """
    proto = subject.proto
    for tensor in list(subject.external()):
        external.load(tensor, external.find(tensor, subject.directory))
    ordered, _ = in_order(proto.graph.node)
    if any(new is not old for new, old in zip(ordered, proto.graph.node, strict=True)):
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
        del proto.graph.node[:]
        proto.graph.node.extend(copies)
    del proto.graph.sparse_initializer[:]
    _fill_in(proto.graph, subject.input_shape or {})
    _open_negative(proto.graph)
    declared = _set_aside(proto.graph)
    take_as_vendor_operators(proto)
    light = graphs.detach(proto, subject.weights)
    try:
        view = View(light, operators.table)
    except MemoryError as error:
        raise targets.GraphError("shape inference runs out of memory: some size is absurd") from error
    return Typed(view, declared, operators, subject.keeps)


def _fill_in(graph: onnx.GraphProto, told: InputShape) -> None:
    for value in graph.input:
        sizes = told.get(value.name)
        shape = value.type.tensor_type.shape
        if sizes is None or (value.type.tensor_type.HasField("shape") and len(sizes) != len(shape.dim)):
            continue
        graphs.set_sizes(value, sizes)


def _open_negative(graph: onnx.GraphProto) -> None:
    """A negative size means an open one; ONNX's inference aborts the process over some."""
    for value in graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_value < 0:
                dim.ClearField("dim_value")


def _set_aside(graph: onnx.GraphProto) -> dict[str, onnx.TypeProto]:
    declared: dict[str, onnx.TypeProto] = {}
    for value in graph.output:
        copy = onnx.TypeProto()
        copy.CopyFrom(value.type)
        declared[value.name] = copy
        value.ClearField("type")
    return declared
