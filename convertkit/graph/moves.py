"""Where a value comes from that is only moved, cast, cut or joined."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from convertkit.graph.nested import every_node

if TYPE_CHECKING:
    import onnx

_MOVES = frozenset(
    {"Cast", "Concat", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile",
     "Transpose", "Unsqueeze"}
)  # fmt: skip
"""Operators behind which a value is still the same kind of value."""


def makers(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """Who writes each tensor, at any depth."""
    return {name: node for node in every_node(graph) for name in node.output}


def sources(makers: Mapping[str, onnx.NodeProto], tensor: str, also: Collection[str] = ()) -> set[str]:
    """The tensors that arrive in ``tensor`` with nothing but moves, and operators in ``also``, in between."""
    waiting, found = [tensor], set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        maker = makers.get(name)
        if maker is not None and (maker.op_type in _MOVES or maker.op_type in also):
            waiting += maker.input if maker.op_type == "Concat" else maker.input[:1]
    return found
