"""A vendor's own tool that compares the tensors of a run on the chip with those of a reference, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.targets.base import Target

Place: TypeAlias = tuple[str, int]
"""Of a tensor: the name of the node that makes it, and which of the node's outputs it is, from 0."""


class Apart(Struct, frozen=True):
    """How far a tensor is from its reference.

    Attributes:
        cosine: of the angle between both, 1 for none; null where it is none: values that are all zero, or not finite.
        largest: the largest absolute difference; null where it is not finite.
        distance: ``|x - y| / |y|`` (Euclidean, y the reference); null where it is not finite.
    """

    cosine: float | None
    largest: float | None
    distance: float | None


@dataclass(frozen=True)
class Measured:
    """One output of an operator of the chip, as the tool compared it.

    Attributes:
        nodes: of the reference for which the operator stands: several where the compiler fused them, none where it put
            the operator there itself.
        output: which of the operator's.
        apart: None where it compared nothing; ``reason`` says why.
    """

    nodes: tuple[str, ...]
    output: int
    apart: Apart | None
    reason: str = ""


@dataclass(frozen=True)
class Names:
    """Names of the files in which the tool looks for tensors.

    Attributes:
        files: by place; a tensor is not in it where the tool could not find it by any name.
        beside: text of files that the tool needs beside them, by name.
    """

    files: Mapping[Place, str]
    beside: Mapping[str, str]


class TensorTool(Protocol):
    """What :attr:`Target.tensor_tool` offers; ``name`` is the tool's."""

    @property
    def name(self) -> str: ...

    @property
    def table(self) -> str:
        """What its table is called, for people."""
        ...

    def names(self, places: Sequence[Place]) -> Names: ...

    def read(self, path: Path) -> tuple[Measured, ...]:
        """The table that the tool wrote.

        Raises:
            UsageError: the file is missing or is no such table.
        """
        ...

    def rule(self, op: str, domain: str) -> str:
        """By which of its rules the prediction makes what such a node gives, in a word or two."""
        ...

    def next_steps(self, directory: Path, reference: str) -> tuple[str, ...]:
        """What to run where the chip is, with the reference in ``directory / reference``; a line each."""
        ...


def tensor_tool_of(target: Target) -> TensorTool:
    """UsageError for a target without such a tool."""
    if target.tensor_tool is None:
        raise UsageError(f"target {target.name} has no tool that compares tensors one by one")
    return target.tensor_tool
