"""How finely the values of an output are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.graph.moves import makers, sources

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

SIGMOID = 2.0**-21
"""onnxruntime computes a Sigmoid around 0.5, so that its values come in steps of 2^-25 however small they are. What a
Sigmoid says of nothing (1e-6, an image without text) differs by a few steps when its input does by its last bit."""

_PICKS = frozenset(
    {"GatherElements", "GatherND", "GlobalMaxPool", "MaxPool", "ReduceMax", "ReduceMean", "ReduceMin", "TopK"}
)
"""Operators that give some of their values, or the mean of some."""


def resolutions(model: LightModel) -> list[float]:
    """What another rounding may change in each output, however small its values are."""
    made = makers(model.proto.graph)
    sigmoids = {name for name, node in made.items() if node.op_type == "Sigmoid"}
    outputs = (value.name for value in model.proto.graph.output)
    return [SIGMOID if sigmoids & sources(made, name, _PICKS) else 0.0 for name in outputs]
