"""The graph a pass edits: onnx-graphsurgeon, with the few verbs that rewrites need again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from numpy.typing import DTypeLike, NDArray
from onnx_graphsurgeon.ir.tensor import LazyValues
from onnx_graphsurgeon.logger import G_LOGGER
from onnx_graphsurgeon.util.exception import OnnxGraphSurgeonException

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, Weights, detach, take_defaults, weight_key
from convertkit.graph.nested import bodies, every_node
from convertkit.graph.sparse import write_out

G_LOGGER.severity = G_LOGGER.CRITICAL + 1  # silent: it would print to standard output what it raises anyway

Tensor = Any
"""A ``gs.Variable`` or ``gs.Constant`` (graphsurgeon is untyped)."""
Node = Any
"""A ``gs.Node``."""


class _DetachedValues(LazyValues):  # type: ignore[misc]
    """Values of a detached initializer: read from the weight table only when a pass asks for them."""

    def __init__(self, tensor: onnx.TensorProto, model: LightModel) -> None:
        super().__init__(tensor)
        self._model = model

    def load(self) -> NDArray[Any]:
        return np.array(self._model.array(self.tensor))


class Graph:
    """A graph under edit.

    ``graph.surgeon`` is the ``onnx_graphsurgeon.Graph`` itself, for whatever the verbs below do not cover.

    Attributes:
        author: who adds nodes, in front of their names: a compiler's message about ``Add`` may mean any of them.
        defaults: of graph inputs that a caller may leave out, by ``id`` of the input. Such an input is no constant.
    """

    author = "convertkit"

    def __init__(
        self, surgeon: gs.Graph, source: LightModel, defaults: Mapping[int, onnx.TensorProto] | None = None
    ) -> None:
        self.surgeon = surgeon
        self.defaults = dict(defaults or {})
        self._source = source
        self._names: set[str] | None = None

    @property
    def nodes(self) -> list[Node]:
        """All nodes, in file order; a snapshot, so that the graph may change while it is walked."""
        return list(self.surgeon.nodes)

    @property
    def parts(self) -> tuple[gs.Graph, ...]:
        """The graph of graphsurgeon, and those inside its nodes, whatever their depth."""
        return (self.surgeon, *self.surgeon.subgraphs(recursive=True))

    @property
    def inputs(self) -> list[Tensor]:
        """The graph inputs (the live list)."""
        return self.surgeon.inputs  # type: ignore[no-any-return]

    @property
    def outputs(self) -> list[Tensor]:
        """The graph outputs (the live list)."""
        return self.surgeon.outputs  # type: ignore[no-any-return]

    @property
    def opset(self) -> int:
        """The version of the default ONNX domain."""
        return int(self.surgeon.opset)

    @property
    def weights(self) -> Weights:
        """The data of the detached initializers that the graph came with."""
        return self._source.weights

    def default(self, tensor: Tensor) -> NDArray[Any] | None:
        """The value of a graph input where a caller gives none; None where a caller has to."""
        value = self.defaults.get(id(tensor))
        return None if value is None else self._source.array(value)

    def model(self) -> LightModel:
        """The graph as it is now, as a light model; the graph stays open."""
        return close_graph(self, self._source)

    def find(self, op: str | Sequence[str] | None = None, *, domain: str = "") -> Iterator[Node]:
        """The nodes of one or several operator types in a domain (``""`` is ONNX's own)."""
        wanted = {op} if isinstance(op, str) else None if op is None else set(op)
        for node in self.nodes:
            node_domain = "" if node.domain in (None, "ai.onnx") else node.domain
            if node_domain == domain and (wanted is None or node.op in wanted):
                yield node

    def constant(self, values: NDArray[Any] | Sequence[Any] | float, *, name: str = "constant") -> Tensor:
        """A new initializer under a fresh name."""
        return gs.Constant(self.fresh_name(name), np.asarray(values))

    def add(
        self,
        op: str,
        inputs: Sequence[Tensor],
        *,
        attrs: dict[str, Any] | None = None,
        outputs: Sequence[Tensor] | None = None,
        dtype: DTypeLike | None = None,
        shape: Sequence[int | str | None] | None = None,
        name: str | None = None,
        domain: str | None = None,
    ) -> Tensor:
        """Appends a node and returns its first output.

        Args:
            outputs: existing variables to write; by default one new variable of ``dtype`` and ``shape``.
        """
        node_name = self.fresh_name(name or f"{self.author}/{op}")
        stem = self.fresh_name(op) if name is None else node_name
        produced = (
            list(outputs)
            if outputs is not None
            else [gs.Variable(self.fresh_name(f"{stem}_output"), dtype=dtype, shape=shape)]
        )
        node = gs.Node(
            op, name=node_name, attrs=attrs or {}, inputs=list(inputs), outputs=produced, domain=domain
        )
        self.surgeon.nodes.append(node)
        return produced[0]

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Lets every consumer of ``old`` read ``new``; a graph output keeps its name."""
        for consumer in list(old.outputs):
            for index, tensor in enumerate(consumer.inputs):
                if tensor is old:
                    consumer.inputs[index] = new
        for index, tensor in enumerate(self.outputs):
            if tensor is old:
                self._replace_output(index, old, new)

    def bypass(self, node: Node) -> None:
        """Joins a node's first input to the consumers of its first output; it stays where others are taken."""
        if not node.inputs or not node.outputs:
            raise GraphError(f"cannot bypass node {node.name!r} ({node.op}): it needs an input and an output")
        source, result = node.inputs[0], node.outputs[0]
        if not any(other.outputs or self._is_output(other) for other in node.outputs[1:]):
            node.outputs.clear()
        self.replace(result, source)

    def _is_output(self, tensor: Tensor) -> bool:
        return any(tensor is output for output in self.outputs)

    def fresh_name(self, prefix: str) -> str:
        """A name that no node and no tensor of the graph has yet, nor one inside a node."""
        if self._names is None:
            names = {node.name for part in self.parts for node in part.nodes}
            self._names = names.union(*(part.tensors() for part in self.parts))
        name, count = prefix, 0
        while name in self._names:
            count += 1
            name = f"{prefix}_{count}"
        self._names.add(name)
        return name

    def tidy(self) -> None:
        """Drops nodes and tensors nothing depends on, and sorts the rest by data flow. Inputs always stay.

        Raises:
            GraphError: the data flow is a circle.
        """
        try:
            self.surgeon.cleanup(remove_unused_graph_inputs=False).toposort()
        except OnnxGraphSurgeonException as error:
            raise GraphError("the graph has a cycle, or several tensors of one name") from error

    def _replace_output(self, index: int, old: Tensor, new: Tensor) -> None:
        """A graph output's name is part of the contract, so the new tensor takes it or is copied to it."""
        free = isinstance(new, gs.Variable) and new.inputs and not self._is_output(new)
        if not free or any(new is tensor for tensor in self.inputs):
            copy = gs.Variable(old.name, dtype=old.dtype, shape=old.shape)
            old.name = self.fresh_name(f"{old.name}_replaced")
            self.add("Identity", [new], outputs=[copy])
            self.outputs[index] = copy
            return
        old.name, new.name = self.fresh_name(f"{old.name}_replaced"), old.name
        new.dtype = old.dtype if new.dtype is None else new.dtype  # a graph output has to state both
        new.shape = old.shape if new.shape is None else new.shape
        self.outputs[index] = new


def open_graph(model: LightModel) -> Graph:
    """The graph of a light model, ready for edits; weights are read only where a pass looks at them.

    Raises:
        GraphError: graphsurgeon does not understand it.
    """
    proto = deepcopy(model.proto)  # graphsurgeon renames the protobuf's own tensors on export
    try:
        write_out(proto)
        defaults = take_defaults(proto)
        surgeon = gs.import_onnx(proto)
    except (MemoryError, GraphError):
        raise
    except Exception as error:  # whatever its code stumbles over
        raise GraphError(f"the graph cannot be edited: {type(error).__name__}: {error}") from error
    for tensor in (tensor for part in Graph(surgeon, model).parts for tensor in part.tensors().values()):
        if isinstance(tensor, gs.Constant) and _is_detached(tensor):
            tensor._values = _DetachedValues(tensor._values.tensor, model)
            tensor.data_location = None
    inputs = {tensor.name: tensor for tensor in surgeon.inputs}
    return Graph(surgeon, model, {id(inputs[tensor.name]): tensor for tensor in defaults})


def close_graph(graph: Graph, before: LightModel) -> LightModel:
    """The light model of an edited graph.

    ``before`` supplies the weights, and the header fields (producer, metadata) that graphsurgeon does not keep.
    """
    proto = export(graph.surgeon)
    for tensor in graph.inputs:
        if id(tensor) in graph.defaults:
            proto.graph.initializer.append(_default(tensor, graph.defaults[id(tensor)], before))
    proto.ir_version = max(before.proto.ir_version, 4)  # before 4 every constant had to be an input, too
    proto.metadata_props.extend(before.proto.metadata_props)
    return detach(proto, before.weights)


def export(surgeon: gs.Graph) -> onnx.ModelProto:
    """The protobuf of a graph of graphsurgeon, its detached weights where only they may be: outside all bodies."""
    proto: onnx.ModelProto = gs.export_onnx(surgeon, do_type_check=False)
    _take_out_weights(proto.graph)
    return proto


def _take_out_weights(graph: onnx.GraphProto) -> None:
    """graphsurgeon writes a weight into every body that reads it."""
    known = {tensor.name for tensor in graph.initializer}
    for _, body in (found for node in every_node(graph) for found in bodies(node)):
        for at in reversed(range(len(body.initializer))):
            if weight_key(body.initializer[at]) is not None:
                tensor = body.initializer.pop(at)
                graph.initializer.extend([] if tensor.name in known else [tensor])
                known.add(tensor.name)


def _default(tensor: gs.Variable, value: onnx.TensorProto, source: LightModel) -> onnx.TensorProto:
    """The default of an input under the name, and in the type, that the input has now."""
    kind = onnx.helper.tensor_dtype_to_np_dtype(value.data_type)
    if tensor.dtype is not None and not isinstance(tensor.dtype, int) and np.dtype(tensor.dtype) != kind:
        return onnx.numpy_helper.from_array(source.array(value).astype(tensor.dtype), tensor.name)
    copy = deepcopy(value)
    copy.name = tensor.name
    return copy


def _is_detached(constant: gs.Constant) -> bool:
    return isinstance(constant._values, LazyValues) and weight_key(constant._values.tensor) is not None
