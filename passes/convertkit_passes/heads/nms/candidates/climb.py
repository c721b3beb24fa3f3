"""From an input of NonMaxSuppression upward to the tensor that holds every candidate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms.candidates.views import is_view
from convertkit_passes.heads.types import Node, Tensor

SHAPES = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators that keep the order of elements."""

SELECTS = frozenset({"Compress", "Gather", "GatherND"})
"""Operators that take some rows of their first input: a filter, where their output has no static shape."""

BY_ELEMENT = frozenset({"Add", "Cast", "Div", "Identity", "Mul", "Sub"})
"""Operators that offsets are computed by, element by element."""


@dataclass(frozen=True)
class Climbed:
    """Where the climb ended.

    Attributes:
        flat: static shape, every candidate in its flat order.
        offset: what is added to the boxes to keep classes apart, in the shape of ``under``; None where nothing is.
        under: the boxes that ``offset`` is added to.
        scale: what boxes are multiplied by above ``offset``; IoU does not see it.
        filtered: rows are dropped between ``flat`` and the NonMaxSuppression.
    """

    flat: Tensor
    offset: Tensor | None = None
    under: Tensor | None = None
    filtered: bool = False
    scale: float = 1.0


def climb(graph: passes.Graph, start: Tensor, *, past_offset: bool, past_scale: bool = False) -> Climbed:
    """Upward through views, filters and, if wanted, one addition of class offsets, and factors above it.

    Raises:
        Refused: no tensor of static shape holds the candidates.
    """
    tensor, found = start, Climbed(start)
    while tensor.inputs:
        node = tensor.inputs[0]
        if is_view(node) and graphs.static_shape(found.flat) is None:
            tensor = node.inputs[0]
            found = replace(found, flat=tensor)
        elif is_view(node) and past_offset and found.offset is None:
            tensor = node.inputs[0]  # there may be an addition above; a mere view does not move ``flat``
        elif node.op in SELECTS and graphs.static_shape(tensor) is None:
            tensor = node.inputs[0]
            found = replace(found, flat=tensor, filtered=True)
        elif node.op == "Add" and past_offset and found.offset is None and (pair := _operands(graph, node)):
            tensor, offset = pair
            found = replace(found, flat=tensor, offset=offset, under=tensor)
        elif past_scale and past_offset == (found.offset is not None) and (factor := _factor(graph, node)):
            above = node.inputs[0]
            under = above if found.under is tensor else found.under
            tensor, found = above, replace(found, flat=above, under=under, scale=found.scale * factor)
        else:
            break
    if graphs.static_shape(found.flat) is None:
        why = f"no tensor of fixed size holds the candidates; the search ended at {found.flat.name}"
        raise Refused(why, found.flat, unsized=True)
    return found


def top(found: Climbed) -> Climbed:
    """The same from where candidates have another shape, in the same order: a filter may have its mask there."""
    flat = found.flat
    while (
        flat.inputs
        and flat.inputs[0].op in SHAPES
        and graphs.static_shape(flat.inputs[0].inputs[0]) is not None
    ):
        flat = flat.inputs[0].inputs[0]
    return replace(found, flat=flat)


def _factor(graph: passes.Graph, node: Node) -> float | None:
    """The positive number that the first operand is multiplied by, or divided by its inverse."""
    value = graphs.constant_value(graph, node.inputs[1]) if node.op in ("Div", "Mul") else None
    if value is None or value.size != 1 or value.item() <= 0:
        return None
    return float(value.item() if node.op == "Mul" else 1 / value.item())


def _operands(graph: passes.Graph, node: Node) -> tuple[Tensor, Tensor] | None:
    """Boxes and offsets of an addition, where one operand moves whole boxes."""
    for offset, boxes in (node.inputs, node.inputs[::-1]):
        if graphs.constant_value(graph, boxes) is None and _translates(graph, offset):
            return boxes, offset
    return None


def _translates(graph: passes.Graph, offset: Tensor) -> bool:
    """Whether every row of it moves both corners of a box alike, as far as can be told without running it."""
    if (value := graphs.constant_value(graph, offset)) is not None:
        return _is_alike(value.shape, value)
    if not offset.shape:  # one number for all boxes is no offset of classes
        return False
    waiting, seen = [offset], {id(offset)}
    while waiting:
        tensor = waiting.pop()
        value = graphs.values_of(tensor) if graphs.is_initializer(tensor) else None
        if tensor.shape is not None and _is_alike(tuple(tensor.shape), value):
            continue
        node = tensor.inputs[0] if tensor.inputs else None
        if node is None or node.op not in (*BY_ELEMENT, "Expand"):
            return False
        above = node.inputs[:1] if node.op == "Expand" else node.inputs
        waiting += [item for item in above if id(item) not in seen]
        seen.update(map(id, above))
    return True


def _is_alike(shape: tuple[int, ...], value: NDArray[Any] | None) -> bool:
    """Whether it has one number for all corners of a box, or the same for both; corners are the last axis."""
    if not shape or shape[-1] == 1:
        return True
    return value is not None and shape[-1] == 4 and np.array_equal(value[..., :2], value[..., 2:])
