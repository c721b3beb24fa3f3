"""One operator of a graph as its cost sees it, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["matrix", "vector", "none"]
"""Which unit does the arithmetic; ``none`` where values are only moved, or nothing happens."""


@dataclass(frozen=True)
class Operand:
    """A tensor: its static shape, the bytes of one value as the machine stores it, whether it is a constant."""

    shape: tuple[int, ...]
    item_bytes: int
    constant: bool = False

    @property
    def elements(self) -> int:
        """How many values."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """How many bytes."""
        return self.elements * self.item_bytes


@dataclass(frozen=True)
class Operation:
    """A node with static shapes.

    Attributes:
        op: the operator's name, without its domain.
        attributes: by name, as Python values.
        inputs: in the operator's order; None where an optional one is absent.
        outputs: those that the node has.
    """

    op: str
    attributes: Mapping[str, Any]
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]

    @property
    def reads(self) -> int:
        """Bytes of all inputs."""
        return sum(item.bytes for item in self.inputs if item is not None)

    @property
    def writes(self) -> int:
        """Bytes of all outputs."""
        return sum(item.bytes for item in self.outputs)

    def operand(self, index: int) -> Operand:
        """An input that has to be there.

        Raises:
            LookupError: it is absent.
        """
        found = self.inputs[index] if index < len(self.inputs) else None
        if found is None:
            raise LookupError(f"input {index} is absent")
        return found


@dataclass(frozen=True)
class Cost:
    """What one node takes at least.

    Attributes:
        unit: who computes.
        operations: for ``matrix`` a multiplication and an addition are two; for ``vector`` operations on one element.
        reads, writes: bytes.
        left_out: what is not in it because it depends on the data, for people; empty where nothing is.
    """

    unit: Unit
    operations: int
    reads: int
    writes: int
    left_out: str = ""

    @property
    def bytes(self) -> int:
        """Read and written."""
        return self.reads + self.writes


FREE = Cost("none", 0, 0, 0)
"""Of what no machine does: a view of the same bytes, or what is known before the graph runs."""
