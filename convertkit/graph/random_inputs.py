"""Reproducible random inputs for a graph nobody has sample data for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel

LARGEST = 1 << 30
"""Values of one input: sixteen photos of 4096 x 4096 and more."""


def random_inputs(model: LightModel, seed: int) -> dict[str, NDArray[Any]]:
    """One array per graph input: standard normal floats, integers 0 or 1, booleans. Symbolic dimensions become 1.

    Raises:
        GraphError: an input has no type or shape, a type without random values (strings, sequences), or far too many.
    """
    rng = np.random.default_rng(seed)
    weights = {tensor.name for tensor in model.proto.graph.initializer}
    return {value.name: _random(value, rng) for value in model.proto.graph.input if value.name not in weights}


def _random(value: onnx.ValueInfoProto, rng: np.random.Generator) -> NDArray[Any]:
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        raise GraphError(
            f"input {value.name!r} has no tensor type and shape", hint="--no-check skips the numeric check"
        )
    shape = [dim.dim_value if dim.dim_value > 0 else 1 for dim in tensor.shape.dim]
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    if math.prod(shape) > LARGEST:
        raise GraphError(
            f"input {value.name!r} has {math.prod(shape)} values, too many to try", hint="use --no-check"
        )
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if dtype.kind in "iub":
        return rng.integers(0, 2, shape).astype(dtype)
    raise GraphError(
        f"input {value.name!r} is of type {dtype}, which has no random values", hint="use --no-check"
    )
