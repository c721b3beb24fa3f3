"""Between which values an integer tensor lies, as far as the graph tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from convertkit.api import graphs
from convertkit_ascend.passes.legalizing.constants import values_of

INT32 = (-(2**31), 2**31 - 1)

MOVES = frozenset(
    {"Cast", "Concat", "Expand", "Flatten", "Gather", "GatherElements", "Identity", "Reshape", "Slice", "Squeeze",
     "Tile", "Transpose", "Unsqueeze"}
)  # fmt: skip
"""Operators whose values are those of their data inputs (Cast: between integer types)."""

DEPTH = 64
"""How far back it looks."""

Range = tuple[int, int]


def bounds(tensor: Any, depth: int = DEPTH) -> Range | None:
    """The lowest and the highest value, both possible or not; None where nothing is known."""
    if isinstance(tensor, gs.Constant):
        return _of_constant(tensor)
    found, kind = _computed(tensor, depth), np.dtype(tensor.dtype or np.float32)
    if found is None or kind.kind not in "iu":
        return None
    own = np.iinfo(kind)  # beyond it arithmetic and a Cast to fewer bits wrap
    return found if own.min <= found[0] and found[1] <= own.max else (int(own.min), int(own.max))


def _computed(tensor: Any, depth: int) -> Range | None:
    """The same before the type of the tensor stores it."""
    if depth == 0 or len(tensor.inputs) != 1 or tensor.inputs[0].domain not in (None, "", "ai.onnx"):
        return None
    node = tensor.inputs[0]
    if node.op in ("TopK", "ArgMax", "ArgMin"):
        return _of_index(node, tensor)
    if node.op in MOVES and np.dtype(tensor.dtype or np.float32).kind == "i":
        return _of_move(node, depth - 1)
    return _of_arithmetic(node, depth - 1)


def fits(value: Range | None) -> bool:
    """Whether all values are int32."""
    return value is not None and INT32[0] <= value[0] and value[1] <= INT32[1]


def _of_constant(tensor: Any) -> Range | None:
    values = values_of(tensor)
    if values is None or values.dtype.kind not in "iu" or not values.size:
        return None
    return int(values.min()), int(values.max())


def _of_index(node: Any, tensor: Any) -> Range | None:
    if node.op == "TopK" and tensor is node.outputs[0]:
        return None
    shape = graphs.static_shape(node.inputs[0])
    return None if shape is None else (0, shape[node.attrs.get("axis", -1 if node.op == "TopK" else 0)] - 1)


def _of_move(node: Any, depth: int) -> Range | None:
    if node.op == "Cast" and np.dtype(node.inputs[0].dtype or np.float32).kind not in "iu":
        return None
    data = node.inputs if node.op == "Concat" else node.inputs[:1]
    found = [bounds(item, depth) for item in data]
    known = [item for item in found if item is not None]
    if len(known) < len(found):
        return None
    return min(item[0] for item in known), max(item[1] for item in known)


def _of_arithmetic(node: Any, depth: int) -> Range | None:
    if node.op not in ("Add", "Sub", "Mul", "Div", "Mod") or len(node.inputs) != 2:
        return None
    a, b = bounds(node.inputs[0], depth), bounds(node.inputs[1], depth)
    if a is None or b is None:
        return None
    if node.op == "Add":
        return a[0] + b[0], a[1] + b[1]
    if node.op == "Sub":
        return a[0] - b[1], a[1] - b[0]
    if node.op == "Mul":
        corners = [x * y for x in a for y in b]
        return min(corners), max(corners)
    if a[0] < 0 or b[0] <= 0:  # rounding of negative numbers and division by 0 are left alone
        return None
    return (a[0] // b[1], a[1] // b[0]) if node.op == "Div" else (0, min(a[1], b[1] - 1))
