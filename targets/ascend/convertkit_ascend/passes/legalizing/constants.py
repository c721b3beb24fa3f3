"""Constants that legalising looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convertkit.api import graphs

if TYPE_CHECKING:
    from numpy.typing import NDArray


def values_of(tensor: Any) -> NDArray[Any] | None:
    """The values of a constant; None for anything else."""
    return graphs.values_of(tensor) if graphs.is_initializer(tensor) else None
