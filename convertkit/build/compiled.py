"""Artifacts whose last file is made by a compiler that may be on another machine: what has become of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from convertkit.build.keys import step_key
from convertkit.build.manifest import NAME, read_manifest
from convertkit.errors import SpecError, UsageError

if TYPE_CHECKING:
    from convertkit.build.request import BuildRequest
    from convertkit.targets.base import Target

State = Literal["whole", "by hand", "awaiting"]
"""``whole``: nothing is missing. ``by hand``: the compiler's file is there, but was not put there by convertkit.
``awaiting``: it is missing."""


def state_of(target: Target, directory: Path) -> State:
    """What has become of the artifact in ``directory``; ``whole`` where there is none."""
    try:
        manifest = read_manifest(directory / NAME)
    except SpecError:
        return "whole"
    if not target.product or target.product in manifest.files:
        return "whole"
    return "by hand" if (directory / target.product).is_file() else "awaiting"


def settled_key(request: BuildRequest, output: Path, facts: dict[str, Any], previous: str) -> str:
    """The key under which what lies in ``output`` would be what is asked for.

    ``auto`` takes an artifact by whatever compiler, even one that this machine cannot reach, and one that was
    compiled by hand: nobody wants hours of compilation again, or a compiled model gone, for asking nothing.

    Args:
        facts: of the compile step as it would run now. previous: the key of the step before it.
    """
    if request.compiler == "auto" and request.target.product:
        bare = {name: value for name, value in facts.items() if name != "compiler"}
        known = _compiler_of(output)
        if known:
            return step_key("compile", {**bare, "compiler": known}, previous)
        if state_of(request.target, output) == "by hand":
            return step_key("compile", bare, previous)
    return step_key("compile", facts, previous)


def check_by_hand(target: Target, directory: Path) -> None:
    """Refuses to build where a file compiled by hand lies: it would stay, and belong to another graph (UsageError)."""
    if state_of(target, directory) == "by hand":
        raise UsageError(
            f"{directory / target.product} was compiled by hand from what was built there before",
            hint="remove it, or choose another --output",
        )


def _compiler_of(output: Path) -> str:
    try:
        compiler = read_manifest(output / NAME).steps[-1].facts.get("compiler")
    except SpecError:
        return ""
    return compiler if isinstance(compiler, str) else ""
