"""``inline-functions``: what a model calls by a name of its own becomes the nodes that it stands for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from convertkit.api import errors, graphs, passes

if TYPE_CHECKING:
    import onnx

    Functions: TypeAlias = Mapping[tuple[str, str], onnx.FunctionProto]

MOST_NODES = 1_000_000
"""That a graph may have afterwards: ten functions that call each other ten times make 10,000 million."""

DEEPEST = 100
"""Calls inside of calls, as onnx has it (``inliner``)."""


class InlineFunctions(passes.LightPass):
    """Replace every call of a function that the model brings by the function's nodes.

    The dynamo exporter and onnxscript write such functions; passes and compilers look at the nodes of the graph only.
    The work is done by ``onnx.inliner``, which wants functions of the model's own opset.

    Options:
        keep: functions that stay calls, as ``name`` or ``domain::name``.
    """

    name = "inline-functions"
    effect = "exact"
    subgraphs = "reads"
    keep: list[str] = dataclasses.field(default_factory=list)

    def run(self, model: passes.LightModel) -> passes.LightModel:
        import onnx.inliner

        functions = {(item.domain, item.name): item for item in model.proto.functions}
        kept = [key for key in functions if _shown(key) in self.keep or key[1] in self.keep]
        self._refuse_unknown(functions)
        inlined = {key: item for key, item in functions.items() if key not in kept}
        if not inlined:
            return model
        _refuse_growth(model.proto.graph, inlined)
        try:
            proto = onnx.inliner.inline_selected_functions(model.proto, kept, exclude=True)
        except graphs.ONNX_ERRORS as error:
            raise passes.GraphError(f"functions cannot be inlined: {_reason(error, model.proto)}") from error
        _drop_imports(proto, {domain for domain, _ in inlined})
        return passes.LightModel(proto, model.weights)

    def _refuse_unknown(self, functions: Functions) -> None:
        known = [name for key in functions for name in (_shown(key), key[1])]
        for name in self.keep:
            if name not in known:
                raise errors.UnknownNameError("function", name, known)


def _shown(key: tuple[str, str]) -> str:
    return "::".join(key)


def _refuse_growth(top: onnx.GraphProto, functions: Functions) -> None:
    """Counts what inlining would make of the graph.

    Raises:
        GraphError: too many nodes, or calls too deep.
    """
    sizes: dict[tuple[str, str], int] = {}

    def size(owner: onnx.GraphProto | onnx.FunctionProto, depth: int) -> int:
        if depth > DEEPEST:
            raise passes.GraphError(f"functions call each other more than {DEEPEST} deep, or in a circle")
        total = 0
        for node in graphs.every_node(owner):
            key = (node.domain, node.op_type)
            if key in functions and key not in sizes:
                sizes[key] = size(functions[key], depth + 1)
            total += sizes.get(key, 1)
        return total

    if (nodes := size(top, 0)) > MOST_NODES:
        raise passes.GraphError(f"inlining its functions makes {nodes:.3g} nodes, more than {MOST_NODES:,}")


def _reason(error: Exception, proto: onnx.ModelProto) -> str:
    """In one line; the function that is written for another opset by its name."""
    opset = graphs.opsets_of(proto).get("")
    for function in proto.functions:
        theirs = graphs.opsets_of(function).get("", opset)
        if theirs != opset:
            return f"{function.name} is written for opset {theirs}, the graph for {opset}"
    return str(error).strip().splitlines()[0]


def _drop_imports(proto: onnx.ModelProto, domains: set[str]) -> None:
    """Domains that only inlined functions were in are no longer said to be needed."""
    tops = (proto.graph, *proto.functions)
    used = {node.domain for top in tops for node in graphs.every_node(top)}
    left = [item for item in proto.opset_import if item.domain not in domains - used]
    del proto.opset_import[:]
    proto.opset_import.extend(left)
