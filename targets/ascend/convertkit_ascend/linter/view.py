"""A graph as the rules see it: nodes with their types, shapes and constants, all inferred anew."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from google.protobuf.message import Message
from onnx import AttributeProto

from convertkit.api import graphs, targets
from convertkit_ascend import ops
from convertkit_ascend.domain import plain
from convertkit_ascend.linter import stand_ins
from convertkit_ascend.linter.schemas import actual_types, element_type, kind, label, schema_of
from convertkit_ascend.linter.table import Check, OpRule, every

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 80
"""Characters of a value in a message."""

_ENTRIES = 8

Shape = tuple["int | None", ...]
"""Sizes; None where one is not known."""


@dataclass(frozen=True)
class Node:
    """One node, with the view it belongs to."""

    proto: onnx.NodeProto
    view: View = field(repr=False)

    @property
    def name(self) -> str:
        """The node's name; for an unnamed one, its first output in angle brackets."""
        return label(self.proto)

    @property
    def domain(self) -> str:
        return plain(self.proto.domain)

    @property
    def op(self) -> str:
        """The operator type, with its domain where that is not ONNX's own."""
        return kind(self.proto)

    @property
    def inputs(self) -> Sequence[str]:
        return self.proto.input

    @property
    def outputs(self) -> list[str]:
        """The outputs that are there."""
        return [name for name in self.proto.output if name]

    @cached_property
    def attributes(self) -> Mapping[str, AttributeProto]:
        return {item.name: item for item in self.proto.attribute}

    def input(self, position: int) -> str:
        """The tensor at an input; empty where there is none. -1 is the last one."""
        names = self.proto.input
        return names[position] if -len(names) <= position < len(names) else ""

    def attribute(self, name: str) -> Any:
        """The value of an attribute, else its default in ONNX, else None; strings as ``str``."""
        if name in self.attributes:
            return _plain(onnx.helper.get_attribute_value(self.attributes[name]))
        return self.default(name)

    def default(self, name: str) -> Any:
        """The default of an attribute in ONNX; None where there is none."""
        schema = schema_of(self.proto, self.view.opset)
        if schema is None or name not in schema.attributes or not schema.attributes[name].default_value.name:
            return None
        return _plain(onnx.helper.get_attribute_value(schema.attributes[name].default_value))

    def attribute_type(self, name: str) -> str:
        """``INT``, ``FLOATS`` and so on; ``UNDEFINED`` where the type field is not set."""
        return str(AttributeProto.AttributeType.Name(self.attributes[name].type))

    @property
    def rule(self) -> OpRule | None:
        """What the table has on the operator at this opset; None for one that the parser does not know."""
        version = self.view.imports.get(self.domain, 0)
        found = self.view.operators.get((self.domain, self.proto.op_type))
        return found if found is not None and found.knows(version) else None

    @property
    def vendor(self) -> ops.VendorOp | None:
        """The vendor operator, where the node is one in convertkit's own domain."""
        if self.domain != ops.DOMAIN or self.proto.op_type not in ops.names():
            return None
        return ops.get(self.proto.op_type)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The limits that the table has of the operator."""
        return self.rule.checks if self.rule else ()

    @property
    def values(self) -> dict[str, Any]:
        """The attributes that are written, as Python values."""
        return {name: self.attribute(name) for name in self.attributes}

    @property
    def shapes(self) -> list[Shape | None]:
        """Of the inputs; None where one is left out or its rank is not known."""
        return [self.view.shape(name) if name else None for name in self.inputs]

    def chip_type(self, position: int) -> str:
        """The element type of an input on the chip; empty where it is not known or there is no such input."""
        name = self.input(position)
        return self.view.actual.get(name, self.view.dtype(name)) if name else ""


class View:
    """A typed graph.

    Types and shapes are those of strict inference on the bare graph: what its ``value_info`` and the shapes of its
    outputs claim is not believed, because the vendor's parser never reads them (ascend-facts: parser-ignored,
    parser-outputs). ``inner`` are the nodes inside subgraphs, of which only operators are known, no types.
    ``problem`` says why strict inference refused the graph; types are then those of lenient inference, or none.

    Args:
        operators: what the parser and the kernels take, by domain and name; the package's own table unless given.
    """

    def __init__(
        self, model: targets.LightModel, operators: Mapping[tuple[str, str], OpRule] | None = None
    ) -> None:
        self.model = model
        self.operators = every() if operators is None else operators
        self.graph = model.proto.graph
        self.imports = graphs.opsets_of(model.proto)
        self.opset = self.imports.get("", 0)
        self._constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.nodes = tuple(Node(proto, self) for proto in self.graph.node)
        self.inner = tuple(Node(proto, self) for proto in graphs.every_node(self.graph))[len(self.nodes) :]
        self.inputs = tuple(graphs.free_inputs(self.graph))
        self.outputs = tuple(self.graph.output)
        self.problem, self._types = _infer(model)

    @cached_property
    def consumers(self) -> Mapping[str, list[Node]]:
        """The nodes that read each tensor."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def named(self) -> Counter[str]:
        """How many nodes have a name."""
        return Counter(node.proto.name for node in self.nodes)

    @cached_property
    def actual(self) -> Mapping[str, str]:
        """Element types as the chip computes them; see :func:`~convertkit_ascend.linter.schemas.actual_types`."""
        return actual_types(self)

    def dtype(self, name: str) -> str:
        """The element type by ONNX's rules, like ``float32``; empty where it is not known."""
        if name in self._constants:
            return element_type(self._constants[name].data_type)
        return element_type(self._types[name].elem_type) if name in self._types else ""

    def numpy_dtype(self, name: str) -> np.dtype[Any] | None:
        """The same as a numpy dtype; None where there is none."""
        kind = self._types[name].elem_type if name in self._types else onnx.TensorProto.UNDEFINED
        return None if kind == onnx.TensorProto.UNDEFINED else onnx.helper.tensor_dtype_to_np_dtype(kind)

    def shape(self, name: str) -> Shape | None:
        """The shape; None where not even the rank is known."""
        if name in self._constants:
            return tuple(self._constants[name].dims)
        kind = self._types.get(name)
        if kind is None or not kind.HasField("shape"):
            return None
        return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim)

    def static(self, name: str) -> tuple[int, ...] | None:
        """The shape where every size is known."""
        shape = self.shape(name)
        if shape is None or any(size is None for size in shape):
            return None
        return tuple(size for size in shape if size is not None)

    def is_constant(self, name: str) -> bool:
        return name in self._constants or name in self._constant_nodes

    def constant(self, name: str) -> NDArray[Any] | None:
        """The values of an initializer or of a Constant node's ``value``."""
        if name in self._constants:
            return self.model.array(self._constants[name])
        node = self._constant_nodes.get(name)
        if node is None or "value" not in node.attributes:
            return None
        return np.asarray(onnx.numpy_helper.to_array(node.attributes["value"].t))

    @cached_property
    def _constant_nodes(self) -> Mapping[str, Node]:
        return {node.outputs[0]: node for node in self.nodes if node.op == "Constant" and node.outputs}


def _infer(model: targets.LightModel) -> tuple[str, dict[str, onnx.TypeProto.Tensor]]:
    """Why strict inference refuses the graph (empty: it does not), and the type of every tensor."""
    ops.register_schemas()
    proto = graphs.weights_as_inputs(model)
    del proto.graph.value_info[:]
    _keep_computed_outputs(proto.graph)
    stand_ins.put(proto)
    problem, inferred = "", proto
    try:
        inferred = onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)
    except graphs.ONNX_ERRORS as error:
        problem = " ".join(str(error).split())[:300]
        with contextlib.suppress(*graphs.ONNX_ERRORS):
            inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True)
    values = (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output)
    return problem, {value.name: value.type.tensor_type for value in values}


def _keep_computed_outputs(graph: onnx.GraphProto) -> None:
    """Each once, and without its shape. Of an input or initializer that is an output too nothing is to be inferred."""
    written = {name for node in graph.node for name in node.output}
    kept = {value.name: value.SerializeToString() for value in graph.output if value.name in written}
    del graph.output[:]
    for value in map(onnx.ValueInfoProto.FromString, kept.values()):
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
        graph.output.append(value)


def shown(value: Any) -> str:
    """An attribute's value in a message: tensors and types are named, not printed, and what is long is cut."""
    if isinstance(value, onnx.TensorProto):
        text = f"a tensor of {element_type(value.data_type) or 'no known type'} {list(value.dims)}"
    elif isinstance(value, Message):
        text = f"a {value.DESCRIPTOR.name.removesuffix('Proto').lower()}"
    elif isinstance(value, list):
        parts = ", ".join(map(shown, value[:_ENTRIES]))
        text = f"[{parts}, ... {len(value)} entries]" if len(value) > _ENTRIES else f"[{parts}]"
    else:
        text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (list, tuple)) or type(value).__name__.startswith("Repeated"):
        return [_plain(item) for item in value]
    return value
