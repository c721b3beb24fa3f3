"""AIPP's arithmetic in standard ONNX before a graph, so that it runs on the host and its accuracy is on the ladder.

The unit turns uint8 into fp16. In which precision it computes in between is not documented: here every step is rounded
to fp16, the coarsest that it can be. ``x - mean`` is whole and exact; ``- min`` and ``* var_reci`` round once each.
The roundings are Casts around fp32 arithmetic, which gives the same bits as fp16 arithmetic and runs everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convertkit.api import graphs, targets
from convertkit_ascend.aipp.aipp_op import Aipp

FLOAT, FLOAT16 = 1, 10
"""Element types of ONNX."""


def prepend(model: targets.LightModel, name: str, aipp: Aipp) -> targets.LightModel:
    """The graph with AIPP before its input ``name``.

    Args:
        model: the input is ``(N, 3, height, width)``, float32 or float16.
        aipp: without crop or padding.

    Returns:
        The same graph, but the input is ``(N, height, width, 3) uint8``.

    Raises:
        GraphError: there is no such input, or it has another shape.
        UnavailableError: AIPP is to crop or to pad.
    """
    if aipp.crop is not None or aipp.padding is not None:
        raise targets.UnavailableError("AIPP that crops or pads is not emulated on the host")
    graph = graphs.open_graph(model)
    old = _input(graph, name, aipp)
    batch = old.shape[0]
    old.name = graph.fresh_name(f"{name}_normalised")
    pixels = type(old)(name, dtype=np.uint8, shape=[batch, aipp.height, aipp.width, 3])
    graph.inputs[next(i for i, item in enumerate(graph.inputs) if item is old)] = pixels
    graph.replace(old, _normalised(graph, pixels, aipp, old))
    graph.tidy()
    return graphs.close_graph(graph, model)


def _input(graph: graphs.Graph, name: str, aipp: Aipp) -> Any:
    found = next((item for item in graph.inputs if item.name == name), None)
    if found is None:
        names = ", ".join(item.name for item in graph.inputs)
        raise targets.GraphError(f"the graph has no input {name!r} to normalise; it has {names}")
    shape = list(found.shape or ())
    if len(shape) != 4 or shape[1:] != [3, aipp.height, aipp.width]:
        raise targets.GraphError(
            f"input {name!r} is {shape}; AIPP gives [N, 3, {aipp.height}, {aipp.width}] (E70014)"
        )
    return found


def _normalised(graph: graphs.Graph, pixels: Any, aipp: Aipp, old: Any) -> Any:
    """The order of the unit: channel swap, mean and factor (ascend-facts: aipp-unit)."""
    batch = pixels.shape[0]
    shape = [batch, 3, aipp.height, aipp.width]
    wide = graph.add("Cast", [pixels], attrs={"to": FLOAT}, dtype=np.float32, shape=pixels.shape)
    planes = graph.add("Transpose", [wide], attrs={"perm": [0, 3, 1, 2]}, dtype=np.float32, shape=shape)
    if aipp.swap:
        order = graph.constant(np.array([2, 1, 0], np.int64), name="aipp_swap")
        planes = graph.add("Gather", [planes, order], attrs={"axis": 1}, dtype=np.float32, shape=shape)
    whole = graph.add("Sub", [planes, _channels(graph, aipp.mean)], dtype=np.float32, shape=shape)
    low = graph.add("Sub", [whole, _channels(graph, aipp.low)], dtype=np.float32, shape=shape)
    scaled = graph.add(
        "Mul", [_rounded(graph, low), _channels(graph, aipp.scale)], dtype=np.float32, shape=shape
    )
    half = graph.add("Cast", [scaled], attrs={"to": FLOAT16}, dtype=np.float16, shape=shape)
    if old.dtype == np.float16:
        return half
    return graph.add("Cast", [half], attrs={"to": FLOAT}, dtype=np.float32, shape=shape)


def _rounded(graph: graphs.Graph, tensor: Any) -> Any:
    half = graph.add("Cast", [tensor], attrs={"to": FLOAT16}, dtype=np.float16, shape=tensor.shape)
    return graph.add("Cast", [half], attrs={"to": FLOAT}, dtype=np.float32, shape=tensor.shape)


def _channels(graph: graphs.Graph, values: Sequence[float]) -> Any:
    """As fp16 has them, in fp32, to be broadcast over ``(N, 3, H, W)``."""
    half = np.array(values, np.float64).astype(np.float16).astype(np.float32)
    return graph.constant(half.reshape(1, 3, 1, 1), name="aipp")
