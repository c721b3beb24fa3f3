"""Where the nodes of a graph came from: a pass that made them, or a module of the framework's model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

STOCK = "the stock graph"


def created(before: onnx.GraphProto, after: onnx.GraphProto) -> tuple[str, ...]:
    """The names of the nodes that a pass has made; nodes inside subgraphs belong to the node around them."""
    known = {node.name for node in before.node}
    return tuple(sorted({node.name for node in after.node} - known))


def origins(graph: onnx.GraphProto, passes: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Node name -> ``pass NAME``, ``module PATH`` or :data:`STOCK`, for every node of ``graph`` that has a name.

    Args:
        passes: of each pass that ran, in order: its name, and what :func:`created` said.
    """
    ran = tuple(passes)
    authors = {step for step, _ in ran}
    # a node that a later pass has renamed still says in front of its name who added it
    made = {
        name: f"pass {author if (author := name.partition('/')[0]) in authors else step}"
        for step, names in ran
        for name in names
    }
    return {node.name: made.get(node.name) or _stock(node.name) for node in graph.node if node.name}


def _stock(name: str) -> str:
    """torch's exporter names a node by its module and operator, each scope below the last: ``/neck/neck.0/Conv``.

    >>> _stock("/backbone/layer1/layer1.0/conv1/Conv")
    'module backbone.layer1.0.conv1'
    >>> _stock("/Constant_12")
    'the stock graph'
    """
    path: list[str] = []
    for scope in name.split("/")[1:-1]:
        if path and scope.startswith(f"{path[-1]}."):
            path.pop()
        path.append(scope)
    return f"module {'.'.join(path)}" if path else STOCK
