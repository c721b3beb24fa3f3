"""The element type of every tensor, also where the file does not say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit_passes.int64.signature import Formal, Signature, signature

if TYPE_CHECKING:
    from convertkit.api import passes

RETARGETABLE = {
    "Cast": ("to",),
    "Constant": ("value", "value_int", "value_ints"),
    "ConstantOfShape": ("value",),
}
"""Operators whose output type an attribute decides, and that attribute; elsewhere it is ``dtype``."""


class Types:
    """Element types by tensor: those of the file, and those that follow from the operators' schemas.

    Attributes:
        has_onnx: the model imports ONNX's own operators, so that a Cast may be added.
    """

    def __init__(self, graph: passes.Graph) -> None:
        self._inferred: dict[int, np.dtype[Any]] = {}
        imports = graph.surgeon.import_domains or ()
        self._opsets = {"" if item.domain == "ai.onnx" else item.domain: item.version for item in imports}
        self.has_onnx = "" in self._opsets
        self._walk(graph.nodes)

    def of(self, tensor: Any) -> np.dtype[Any] | None:
        """The numpy type of a tensor; None where it is unknown, has none, or the value is no tensor."""
        if getattr(tensor, "type", "tensor_type") != "tensor_type":
            return None
        kind = tensor.dtype if tensor.dtype is not None else self._inferred.get(id(tensor))
        return None if kind is None or isinstance(kind, int) else np.dtype(kind)

    def is_int64(self, tensor: Any) -> bool:
        """Whether a tensor is known to hold int64."""
        return self.of(tensor) == np.int64

    def signature(self, node: Any) -> Signature | None:
        """The schema of a node at the opset its model imports."""
        domain = node.domain or ""
        version = self._opsets.get("" if domain == "ai.onnx" else domain)
        return None if version is None else signature(node.op, domain, version)

    def _walk(self, nodes: Sequence[Any]) -> None:
        for node in nodes:
            for subgraph in node.subgraphs():
                self._walk(subgraph.nodes)
            self._infer(node)

    def _infer(self, node: Any) -> None:
        if all(tensor.dtype is not None or tensor.is_empty() for tensor in node.outputs):
            return
        known = self.signature(node)
        if known is None:
            return
        bound = self._bound(node, known)
        for index, tensor in enumerate(node.outputs):
            formal = known.output(index)
            kind = None if formal is None else _output_type(node, known, formal, bound)
            if tensor.dtype is None and kind is not None:
                self._inferred[id(tensor)] = kind

    def _bound(self, node: Any, known: Signature) -> dict[str, np.dtype[Any]]:
        bound: dict[str, np.dtype[Any]] = {}
        for index, tensor in enumerate(node.inputs):
            formal, kind = known.input(index), None if tensor.is_empty() else self.of(tensor)
            if formal is not None and formal.shared and kind is not None:
                bound.setdefault(formal.type, kind)
        return bound


def _output_type(
    node: Any, known: Signature, formal: Formal, bound: dict[str, np.dtype[Any]]
) -> np.dtype[Any] | None:
    if formal.type in bound:
        return bound[formal.type]
    if known.is_open(formal):
        return attribute_type(node)
    return _named(next(iter(known.allowed.get(formal.type, {formal.type}))))


def attribute_type(node: Any) -> np.dtype[Any] | None:
    """The output type that an attribute of the node states."""
    import onnx

    for name in RETARGETABLE.get(node.op, ("dtype",)):
        value = node.attrs.get(name)
        if value is None:
            continue
        if name in ("to", "dtype"):
            kind = onnx.helper.tensor_dtype_to_np_dtype(value) if isinstance(value, int) else value
            return np.dtype(kind)
        return np.dtype(np.int64 if name.startswith("value_int") else value.dtype)
    return None


def _named(text: str) -> np.dtype[Any] | None:
    """``tensor(int64)`` -> int64."""
    name = text.removeprefix("tensor(").removesuffix(")")
    names = {"float": "float32", "double": "float64"}
    try:
        return np.dtype(names.get(name, name)) if text.startswith("tensor(") else None
    except TypeError:
        return None
