"""The size of a tensor as a graph states it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def stated_bytes(tensor: Any) -> int:
    """The size of a tensor as far as type and shape are known; 0 where they are not."""
    kind, dims = tensor.dtype, tensor.shape
    if kind is None or isinstance(kind, int) or dims is None:
        return 0
    if not all(isinstance(dim, (int, np.integer)) for dim in dims):
        return 0
    return int(math.prod(dims)) * int(np.dtype(kind).itemsize)
