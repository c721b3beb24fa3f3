"""Reading constants without disturbing them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx_graphsurgeon.ir.tensor import LazyValues


def peek(constant: Any) -> NDArray[Any]:
    """The values of a graphsurgeon constant.

    ``constant.values`` would keep what it read in place of the file's own bytes, and so make every graph that was
    looked at a changed one.
    """
    values = constant._values
    return np.asarray(values.load() if isinstance(values, LazyValues) else values)


def stated_bytes(tensor: Any) -> int:
    """The size of a tensor as far as type and shape are known; 0 where they are not."""
    kind, dims = tensor.dtype, tensor.shape
    if kind is None or isinstance(kind, int) or dims is None:
        return 0
    if not all(isinstance(dim, (int, np.integer)) for dim in dims):
        return 0
    return int(math.prod(dims)) * int(np.dtype(kind).itemsize)
