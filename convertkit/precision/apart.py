"""How far a tensor is from its reference, in the measures that vendors' tools print."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.targets.tensor_tool import Apart

if TYPE_CHECKING:
    from numpy.typing import NDArray


def apart(found: NDArray[Any], reference: NDArray[Any]) -> Apart:
    """Both of one shape; computed in float64. Without values, or where both are all zero, nothing is apart.

    >>> apart(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    Apart(cosine=0.7071067811865475, largest=1.0, distance=0.7071067811865475)
    """
    x, y = (array.astype(np.float64).ravel() for array in (found, reference))
    with np.errstate(all="ignore"):
        difference = np.abs(x - y)
        long_x, long_y = float(np.linalg.norm(x)), float(np.linalg.norm(y))
        largest = float(difference.max(initial=0.0))
        away = float(np.linalg.norm(difference))
        cosine = 1.0 if away == 0 else _quotient(float(x @ y), long_x * long_y)
    return Apart(
        min(cosine, 1.0) if math.isfinite(cosine) else None,
        largest if math.isfinite(largest) else None,
        0.0 if away == 0 else _finite(_quotient(away, long_y)),
    )


def _quotient(above: float, below: float) -> float:
    return above / below if below else math.nan


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
