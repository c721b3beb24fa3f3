"""Reading constants without disturbing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs
from onnx_graphsurgeon.ir.tensor import LazyValues

if TYPE_CHECKING:
    from numpy.typing import NDArray


def values_of(tensor: Any) -> NDArray[Any] | None:
    """The values of a constant; None for anything else.

    ``tensor.values`` would keep what it read in place of the file's own bytes, and so change a graph by looking at it.
    """
    if not isinstance(tensor, gs.Constant):
        return None
    values = tensor._values
    return np.asarray(values.load() if isinstance(values, LazyValues) else values)
