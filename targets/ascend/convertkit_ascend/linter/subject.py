"""The file under examination, as it is: nothing folded, sorted, resolved or renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import onnx
from onnx import TensorProto

from convertkit.api import graphs

InputShape = Mapping[str, tuple[int, ...]]
"""Sizes by input name, as ``--input_shape`` of the compiler has them; -1 for one that stays open."""

Keeps = Callable[[str, str], bool]
"""Whether the compiler is told not to lower a node, by the node's name and the vendor's operator."""


def lowers_all(node: str, operator: str) -> bool:
    """What it is told by default: nothing."""
    return False


@dataclass(frozen=True)
class Subject:
    """What the rules about the raw file look at.

    Attributes:
        proto: the model as protobuf parsed it.
        size: of the file, bytes.
        directory: where external data would lie; None for a model that is not a file.
        weights: data of initializers that convertkit itself keeps beside the graph.
        input_shape: what the compiler will be told about the inputs; None for nothing.
        keeps: what it will be told not to lower.
    """

    proto: onnx.ModelProto
    size: int
    directory: Path | None = None
    weights: Mapping[str, bytes] = field(default_factory=dict)
    input_shape: InputShape | None = None
    keeps: Keeps = lowers_all

    @property
    def graph(self) -> onnx.GraphProto:
        return self.proto.graph

    @cached_property
    def constants(self) -> set[str]:
        """Names of the initializers, those of the sparse ones not included."""
        return {tensor.name for tensor in self.graph.initializer}

    @cached_property
    def inputs(self) -> tuple[onnx.ValueInfoProto, ...]:
        """Graph inputs that are no initializers."""
        return tuple(graphs.free_inputs(self.graph))

    @cached_property
    def imports(self) -> dict[str, int]:
        """The opset per domain; of two imports of one domain the last wins (ascend-facts: parser-key)."""
        return graphs.opsets_of(self.proto)

    @cached_property
    def produced(self) -> Counter[str]:
        """How often each tensor is written by a node."""
        return Counter(name for node in self.graph.node for name in node.output if name)

    @cached_property
    def read(self) -> set[str]:
        """Tensors that some node reads, those inside subgraphs included, or that are graph outputs."""
        names = {name for node in graphs.every_node(self.graph) for name in node.input if name}
        return names | {value.name for graph in graphs.every_graph(self.graph) for value in graph.output}

    def tensors(self) -> Iterator[TensorProto]:
        """Every tensor in the file: initializers and attributes, inside subgraphs too."""
        for graph in graphs.every_graph(self.graph):
            yield from graph.initializer
        for node in graphs.every_node(self.graph):
            for attribute in node.attribute:
                yield from [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]

    def external(self) -> Iterator[TensorProto]:
        """The tensors whose data lies in another file."""
        for tensor in self.tensors():
            if tensor.data_location == TensorProto.EXTERNAL and not self.is_detached(tensor):
                yield tensor

    def is_detached(self, tensor: TensorProto) -> bool:
        """Whether convertkit keeps the tensor's data in :attr:`weights`."""
        key = graphs.weight_key(tensor)
        return key is not None and key in self.weights
