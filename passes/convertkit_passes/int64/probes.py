"""Inputs at and around the bounds of what the pass assumes: a sample of zeros and ones cannot tell int32 from int64."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit_passes.int64.groups import subgraph_reads
from convertkit_passes.int64.interval import HIGHEST, LOWEST
from convertkit_passes.int64.ranges import Ranges

Array = NDArray[Any]
Bounds = Mapping[str, tuple[int, int]]

MOST = 21
"""Probes of one graph."""

PHOTO = 1 << 16
"""Floats of an input; one that is larger is an image, whose values are no sizes or positions, and stays."""

_FLOATS = {"low": -3e9, "high": 3e9, "zero": 0.0, "minus one": -1.0}
_GROWS = {
    "CenterCropPad", "ConstantOfShape", "Expand", "OneHot", "Pad", "Range", "Reshape", "Resize", "Split", "Tile",
    "TopK", "Upsample",
}  # fmt: skip
"""Operators with sizes among their inputs: at the bounds of int32 they would fill the memory."""


def bound_probes(
    model: passes.LightModel, sample: Mapping[str, Array], ranges: Bounds
) -> list[dict[str, Array]]:
    """Variations of a sample: masks off, on and mixed; integers and floats 0, -1 and at their bounds, floats NaN.

    Raises:
        GraphError: there are none, because an integer might be divided by zero, which ends the process.
    """
    graph = graphs.open_graph(model)
    graph.tidy()
    # a sample may hold what later passes ask for
    names = {tensor.name for tensor in graph.inputs} - _sizes(graph)
    free = {name: value for name, value in sample.items() if name in names and value.size}
    masks = [name for name, value in free.items() if value.dtype.kind == "b"]
    numbers = [name for name, value in free.items() if value.dtype.kind in "iu" or _is_small_float(value)]
    if not masks and not numbers:
        return []
    wild = any(sample[name].dtype.kind == "f" and name not in ranges for name in numbers)
    _refuse_division(graph, ranges)
    rows = itertools.product(
        ["as given", *([*_FLOATS, "mixed"] if numbers else []), *(["nan"] if wild else [])],
        ["off", "on", "mixed"] if masks else ["as given"],
    )
    made = [
        dict(sample)
        | {name: _mask(sample[name], mask) for name in masks}
        | {name: _number(sample[name], number, ranges.get(name)) for name in numbers}
        for number, mask in rows
        if (number, mask) != ("as given", "as given")
    ]
    return made[:MOST]


def _is_small_float(value: Array) -> bool:
    return value.dtype.kind == "f" and value.size <= PHOTO


def _mask(value: Array, kind: str) -> Array:
    flat = {"off": np.zeros(value.size), "on": np.ones(value.size), "mixed": np.arange(value.size) % 2}[kind]
    return flat.reshape(value.shape).astype(bool)


def _number(value: Array, kind: str, given: tuple[int, int] | None) -> Array:
    """The kind of value in every place; mixed ones in an order in which no neighbours are alike."""
    if kind == "as given":
        return value
    wild = value.dtype.kind == "f" and given is None
    if kind == "nan":
        return np.full_like(value, np.nan) if wild else value
    choices = _FLOATS if wild else _whole(value.dtype, given)
    picked = list(choices.values()) if kind == "mixed" else [choices[kind]]
    with np.errstate(over="ignore"):  # of float16
        return np.resize(np.array(picked, dtype=value.dtype), value.shape)


def _whole(kind: np.dtype[Any], given: tuple[int, int] | None) -> dict[str, float]:
    low, high = given or (max(int(np.iinfo(kind).min), LOWEST), min(int(np.iinfo(kind).max), HIGHEST))
    return {"low": low, "high": high, "zero": min(max(0, low), high), "minus one": min(max(-1, low), high)}


def _refuse_division(graph: passes.Graph, ranges: Bounds) -> None:
    known = Ranges(graph, given=ranges)
    for node in (node for part in graph.parts for node in part.nodes):
        if node.op in ("Div", "Mod") and len(node.inputs) > 1:
            divisor, dividend = known.of(node.inputs[1]), known.of(node.inputs[0])
            overflows = divisor.low <= -1 <= divisor.high and dividend.low <= LOWEST
            if _holds_integers(node.inputs) and (divisor.low <= 0 <= divisor.high or overflows):
                raise passes.GraphError(
                    f"{node.op} {node.name!r} might divide an integer by zero or overflow"
                )


def _holds_integers(tensors: Sequence[Any]) -> bool:
    kinds = [tensor.dtype for tensor in tensors if tensor.dtype is not None]
    return not kinds or any(isinstance(kind, int) or np.dtype(kind).kind in "iu" for kind in kinds)


def _sizes(graph: passes.Graph) -> set[str]:
    """The graph inputs whose values, not only whose shapes, reach an operator that takes sizes, or a subgraph."""
    waiting = [
        tensor for node in graph.nodes if node.op in _GROWS for tensor in node.inputs[1:] or node.inputs
    ]
    waiting += [tensor for node in graph.nodes for tensor in subgraph_reads(node)]
    waiting += [tensor for node in graph.nodes if node.op in ("Loop", "Range") for tensor in node.inputs]
    seen: set[int] = set()
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in seen:
            seen.add(id(tensor))
            makers = [node for node in tensor.inputs if node.op not in ("Shape", "Size")]
            waiting += [item for node in makers for item in node.inputs]
    return {tensor.name for tensor in graph.inputs if id(tensor) in seen and tensor.dtype != np.bool_}
