"""Carrying out a plan: types, constants, attributes and Casts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from convertkit.api import graphs
from convertkit_passes.int64.groups import Group, is_clamped
from convertkit_passes.int64.interval import HIGHEST, LOWEST

if TYPE_CHECKING:
    from convertkit.api import passes
    from convertkit_passes.int64.plan import Plan

_ONNX_TYPE = {"int32": onnx.TensorProto.INT32, "int64": onnx.TensorProto.INT64}


class Rewriter:
    """Gives each group of a plan its type."""

    def __init__(self, graph: passes.Graph, plan: Plan) -> None:
        self.graph = graph
        self.plan = plan
        self._narrow = {id(tensor) for group in plan.narrow() for tensor in group.writes}
        self._constants: dict[tuple[int, bool], Any] = {}
        self._casts: dict[int, Any] = {}

    def run(self) -> None:
        """Edits the graph."""
        for position, group in enumerate(self.plan.groups):
            self._connect(group, "int64" if position in self.plan.wide else "int32")
        for group in self.plan.narrow():
            _retype(group)
        for node in self.graph.find("Cast"):
            self._drop_idle(node)

    def _connect(self, group: Group, kind: str) -> None:
        """Lets a group read every tensor in its own type."""
        for tensor, index in group.reads:
            if isinstance(tensor, gs.Constant):
                if kind == "int32":
                    self._replace(group, index, tensor, self._constant(tensor, is_clamped(group.node, index)))
            elif (id(tensor) in self._narrow) != (kind == "int32"):
                self._replace(group, index, tensor, self._cast(tensor, kind))

    def _constant(self, tensor: Any, clamped: bool) -> Any:
        key = (id(tensor), clamped)
        if key not in self._constants:
            values = graphs.values_of(tensor)
            values = np.clip(values, LOWEST, HIGHEST) if clamped else values
            self._constants[key] = self.graph.constant(values.astype(np.int32), name=f"{tensor.name}_int32")
        return self._constants[key]

    def _cast(self, tensor: Any, kind: str) -> Any:
        """The one Cast of a tensor, shared by its readers."""
        if id(tensor) not in self._casts:
            name = self.graph.fresh_name(f"{tensor.name}_{kind}")
            result = gs.Variable(name, dtype=np.dtype(kind), shape=tensor.shape)
            self._casts[id(tensor)] = self.graph.add(
                "Cast", [tensor], attrs={"to": int(_ONNX_TYPE[kind])}, outputs=[result]
            )
        return self._casts[id(tensor)]

    def _replace(self, group: Group, index: int, old: Any, new: Any) -> None:
        if group.node is None:
            self._replace_output(index, old, new)
        elif index >= 0:
            group.node.inputs[index] = new
        else:
            _replace_in_subgraphs(group.node, old, new)

    def _replace_output(self, index: int, old: Any, new: Any) -> None:
        """The new tensor takes the output's name."""
        name = old.name
        old.name = self.graph.fresh_name(f"{name}_{np.dtype(old.dtype or np.int64)}")
        if isinstance(new, gs.Constant):
            new = self.graph.constant(graphs.values_of(new))
        new.name = name
        self.graph.outputs[index] = new

    def _drop_idle(self, node: Any) -> None:
        """A Cast from int32 to int32, left where a side of it changed."""
        source, result = node.inputs[0], node.outputs[0]
        changed = id(result) in self._narrow or id(source) in self._narrow
        if changed and node.attrs["to"] == _ONNX_TYPE["int32"] and source.dtype == np.int32:
            self.graph.bypass(node)


def _retype(group: Group) -> None:
    for tensor in group.writes:
        tensor.dtype = np.dtype(np.int32)
    if group.node is None or not group.writes:
        return
    attributes = group.node.attrs
    for name in ("to", "dtype"):
        if attributes.get(name) == onnx.TensorProto.INT64:
            attributes[name] = int(onnx.TensorProto.INT32)
    if group.node.op in ("Constant", "ConstantOfShape"):
        _retype_value(attributes)


def _retype_value(attributes: dict[str, Any]) -> None:
    values = attributes.pop("value", None)
    numbers = [attributes.pop(name) for name in ("value_int", "value_ints") if name in attributes]
    array = np.asarray(graphs.values_of(values) if values is not None else numbers[0])
    attributes["value"] = gs.Constant("", array.astype(np.int32))


def _replace_in_subgraphs(node: Any, old: Any, new: Any) -> None:
    for subgraph in node.subgraphs(recursive=True):
        readers = [inner.inputs for inner in subgraph.nodes] + [subgraph.outputs]
        for tensors in readers:
            for index, tensor in enumerate(tensors):
                if tensor is old:
                    tensors[index] = new
