"""What a graph is made of, as :class:`convertkit.Graph` hands it out: graphsurgeon is untyped."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
Node: TypeAlias = Any
