"""What is read at the places of selected boxes beside boxes and scores: labels, mask coefficients, the places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates.climb import climb
from convertkit_passes.heads.types import Node, Tensor

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Carried:
    """One row for each of N boxes.

    Attributes:
        values: ``(N, W)``: what is tried.
        tensor: a view of ``(N, W)``; None: the places 0 to N - 1 themselves.
    """

    values: Array
    tensor: Tensor | None = None


def find(
    graph: passes.Graph, selection: Tensor, borders: Sequence[Tensor], count: int
) -> tuple[Carried, ...]:
    """The places, and every tensor with a row for each box that is gathered by what was selected.

    Args:
        borders: what follows from these is no such tensor.
        count: N.
    """
    found = {id(item): item for item in _gathered(graph, selection, count) if _leaks(graph, item, borders)}
    random = np.random.default_rng(probes.SEED)
    tensors = [Carried(_values(graph, item, random).reshape(count, -1), item) for item in found.values()]
    return Carried(np.arange(count)[:, None]), *tensors


def _gathered(graph: passes.Graph, selection: Tensor, count: int) -> Iterator[Tensor]:
    below = {id(selection)}
    graph.surgeon.toposort()
    for node in graph.nodes:
        mine = [id(item) in below for item in node.inputs]
        below.update(id(item) for item in node.outputs if any(mine))
        if node.op in ("Gather", "GatherND") and mine == [False, True]:
            yield from _rows(graph, node, count)


def _rows(graph: passes.Graph, node: Node, count: int) -> Iterator[Tensor]:
    try:
        flat = climb(graph, node.inputs[0], past_offset=False).flat
    except Refused:
        return
    shape = tuple(flat.shape)
    numbers = flat.dtype is not None and np.dtype(flat.dtype).kind in "fiu"
    if numbers and (shape[:1] == (count,) or shape[:2] == (1, count)):
        yield flat


def _leaks(graph: passes.Graph, tensor: Tensor, borders: Sequence[Tensor]) -> bool:
    """Whether it depends on more than the borders."""
    try:
        graphs.cut(graph, [tensor], borders)
    except graphs.LeakError:
        return True
    return False


def _values(graph: passes.Graph, tensor: Tensor, random: np.random.Generator) -> Array:
    """Random numbers of its shape; integers keep to what is known of them."""
    shape, dtype = tuple(tensor.shape), np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return random.random(shape).astype(dtype)
    within = graphs.bounds(graph, tensor)
    low, high = (within.low, within.high) if within.finite else (0, probes.SMALL)
    return random.integers(int(low), int(high) + 1, shape).astype(dtype)
