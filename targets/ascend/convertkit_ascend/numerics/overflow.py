"""The first tensor that leaves the range of fp16, of a run that failed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from convertkit.api import graphs, targets
from convertkit_ascend.numerics.storage import ONNX_FLOAT, ONNX_FLOAT16

TOO_LARGE = 65520.0
"""From here on fp16 rounds to infinity."""


def with_overflow(
    error: targets.GraphError, model: Any, feeds: Mapping[str, NDArray[Any]]
) -> targets.GraphError:
    """The error, with what overflowed before the node it names; as it is where nothing did.

    Args:
        model: a light model with fp16 storage as :mod:`convertkit_ascend.numerics.storage` writes it.
        feeds: the inputs it failed on.
    """
    nodes = list(model.proto.graph.node)
    failed = next((place for place, node in enumerate(nodes) if f"'{node.name}'" in error.message), 0)
    stored = [
        node
        for node in nodes[:failed]
        if node.op_type == "Cast"
        and any(item.name == "to" and item.i == ONNX_FLOAT16 for item in node.attribute)
    ]
    if not stored:
        return error
    session = graphs.open_session(type(model)(_largest(model.proto, failed, stored), model.weights))
    values = session.run({name: feeds[name] for name in session.inputs})
    for node, value in zip(stored, values.values(), strict=True):
        if value >= TOO_LARGE:
            found = _words(nodes, node.input[0], float(value))
            return targets.GraphError(f"{found}; {error.message}", hint=error.hint)
    return error


def _words(nodes: list[Any], tensor: str, value: float) -> str:
    made = next((node for node in nodes if tensor in node.output), None)
    where = f" of {made.op_type} {made.name!r}" if made else ""
    size = f"{value:g}" if math.isfinite(value) else "infinite"
    return f"tensor {tensor!r}{where} is the first beyond fp16's 65504: {size}"


def _largest(proto: ModelProto, count: int, stored: list[Any]) -> ModelProto:
    """The first nodes, and of each tensor that is stored in fp16 the largest magnitude, ``() float32``; 0 of none."""
    made = ModelProto()
    made.CopyFrom(proto)
    graph = made.graph
    del graph.node[count:], graph.output[:]
    flat, zero = (
        numpy_helper.from_array(value, name)
        for value, name in ((np.array([-1]), "flat_"), (np.zeros(1, np.float32), "zero_"))
    )
    graph.initializer.extend([flat, zero])
    for place, node in enumerate(stored):
        names = [f"largest_{place}_{step}" for step in range(4)]
        graph.node.extend(
            [
                helper.make_node("Abs", [node.input[0]], names[:1]),
                helper.make_node("Reshape", [names[0], flat.name], names[1:2]),
                helper.make_node("Concat", [names[1], zero.name], names[2:3], axis=0),
                helper.make_node("ReduceMax", [names[2]], names[3:], keepdims=0),
            ]
        )
        graph.output.append(helper.make_tensor_value_info(names[3], ONNX_FLOAT, []))
    return made
