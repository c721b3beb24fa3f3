"""What one compilation is told, and what a user may choose of a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from convertkit.targets.pixels import Pixels


class Compiler(Protocol):
    """The compiler that was chosen, as its target knows it.

    Attributes:
        identity: where and which it is, in a few words; part of the key.
    """

    @property
    def identity(self) -> str: ...


def _nobody(line: str) -> None:
    pass


@dataclass(frozen=True)
class CompileContext:
    """What one compilation is told.

    Attributes:
        options: for the target's compiler, as plain data; part of the key.
        pixels: what to do with an image's bytes, part of the key; None where the host normalises.
        compiler: what makes the target's product; None where the build stops before that.
        origins: node name of the graph -> where the node came from, such as ``pass simplify``: what goes wrong can
            then be said in the user's words.
        tell: told in a few words how a long compilation goes on.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    pixels: Pixels | None = None
    compiler: Compiler | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = _nobody


PLAIN = CompileContext()
"""Nothing was asked for."""


@dataclass(frozen=True)
class RuntimeOptions:
    """What a user may choose of a runtime.

    Attributes:
        device: number of the chip.
        batch: images at a time, for a model that was compiled for several sizes; None takes the model's own.
        inputs, outputs: for a runtime that only reads what was run elsewhere: the directories of its files.
    """

    device: int = 0
    batch: int | None = None
    inputs: Path | None = None
    outputs: Path | None = None
