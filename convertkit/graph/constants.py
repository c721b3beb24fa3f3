"""Constants of a graph under edit."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx_graphsurgeon.ir.tensor import LazyValues


def is_initializer(tensor: gs.Tensor) -> bool:
    """Whether a tensor is an initializer; its values are not read."""
    return isinstance(tensor, gs.Constant)


def values_of(constant: gs.Constant) -> NDArray[Any]:
    """The values of a constant, read without a trace.

    ``constant.values`` would keep what it read in place of the file's own bytes: a graph that was looked at would be a
    changed one, and a detached weight a part of it.
    """
    values = constant._values
    return np.asarray(values.load() if isinstance(values, LazyValues) else values)
