"""The 310P3, and what a compilation for it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from convertkit_ascend.bundle.compiler import Chosen
from convertkit_ascend.target import TARGETS

from convertkit.api.targets import CompileContext, Pixels

CHIP = next(target for target in TARGETS if target.name == "ascend310p3")
PLAIN = CompileContext()


def chosen(where: str) -> Chosen | None:
    return CHIP.compiler.choose(where)


def told(
    options: Mapping[str, Any] | None = None,
    *,
    where: str = "none",
    pixels: Pixels | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> CompileContext:
    """A context that the target has taken."""
    context = CompileContext(dict(options or {}), pixels, chosen(where), tell=tell)
    CHIP.passes(context)
    return context
