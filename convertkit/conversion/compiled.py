"""Artifacts whose last file is made by a compiler that may be on another machine: what has become of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from convertkit.conversion.keys import step_key
from convertkit.conversion.layout import is_intact
from convertkit.conversion.manifest import NAME, Manifest, read_manifest
from convertkit.conversion.standalone import without_sample
from convertkit.errors import SpecError, UsageError
from convertkit.targets.capabilities import product_of

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
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
    product = product_of(target)
    if not product or product in manifest.files:
        return "whole"
    return "by hand" if (directory / product).is_file() else "awaiting"


def settled_key(request: BuildRequest, output: Path, facts: dict[str, Any], previous: str) -> str:
    """The key under which what lies in ``output`` would be what is asked for.

    ``auto`` takes an artifact by whatever compiler, even one that this machine cannot reach, and one that was
    compiled by hand: nobody wants hours of compilation again, or a compiled model gone, for asking nothing.

    Args:
        facts: of the compile step as it would run now. previous: the key of the step before it.
    """
    if request.asked.compiler == "auto" and product_of(request.target):
        bare = {name: value for name, value in facts.items() if name != "compiler"}
        known = _compiler_of(output)
        if known:
            return step_key("compile", {**bare, "compiler": known}, previous)
        if state_of(request.target, output) == "by hand":
            return step_key("compile", bare, previous)
    return step_key("compile", facts, previous)


def with_compiled(request: BuildRequest, output: Path, manifest: Manifest) -> Manifest:
    """A build's manifest, with the compiler's file where that lies in ``output`` and was made from this very build.

    ``auto`` then repairs the other files of an artifact on a machine without a compiler, and keeps the hours that this
    one took.
    """
    product = product_of(request.target)
    if request.asked.compiler != "auto" or not product or product in manifest.files:
        return manifest
    try:
        known = read_manifest(output / NAME)
    except SpecError:
        return manifest
    entry, rest = known.files.get(product), without_sample(known.files)
    rest.pop(product, None)
    last = known.steps[-1]
    bare = {name: value for name, value in last.facts.items() if name != "compiler"}
    made, making = (
        [(step.key, step.result) for step in chain[:-1]] for chain in (known.steps, manifest.steps)
    )
    same = (made, bare, rest) == (making, manifest.steps[-1].facts, without_sample(manifest.files))
    if entry is None or not same or known.check_chain() or not is_intact(output / product, entry):
        return manifest
    steps = (*manifest.steps[:-1], last)
    return msgspec.structs.replace(manifest, steps=steps, files={**manifest.files, product: entry}).sealed()


def check_by_hand(target: Target, directory: Path) -> None:
    """Refuses to build where a file compiled by hand lies: it would stay, and belong to another graph (UsageError)."""
    if state_of(target, directory) == "by hand":
        raise UsageError(
            f"{directory / product_of(target)} was compiled by hand from what was built there before",
            hint="remove it, or choose another --output",
        )


def _compiler_of(output: Path) -> str:
    try:
        compiler = read_manifest(output / NAME).steps[-1].facts.get("compiler")
    except SpecError:
        return ""
    return compiler if isinstance(compiler, str) else ""
