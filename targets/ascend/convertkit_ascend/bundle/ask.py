"""What ATC is asked for a graph: the options of the ModelZoo guide (facts 1.1), and what the graph and its AIPP add."""

from __future__ import annotations

import convertkit
from convertkit_ascend import socs
from convertkit_ascend.atc import AtcOptions, InputShape


def ask(soc: str, model: convertkit.LightModel, aipp: str | None = None) -> AtcOptions:
    """The options for a graph.

    Args:
        soc: the chip, ``ascend310p3``.
        aipp: text of the AIPP configuration, where the chip normalises.
    """
    return AtcOptions(soc_version=socs.get(soc).soc_version, input_shape=_shapes(model), insert_op_conf=aipp)


def _shapes(model: convertkit.LightModel) -> tuple[InputShape, ...]:
    """Inputs of a known size, in the graph's order; preflight has something to say about the others."""
    constants = {tensor.name for tensor in model.proto.graph.initializer}
    found = []
    for value in model.proto.graph.input:
        shape = value.type.tensor_type.shape
        dims = tuple(dim.dim_value for dim in shape.dim)
        if value.name not in constants and value.type.tensor_type.HasField("shape") and all(dims):
            found.append(InputShape(value.name, dims))
    return tuple(found)
