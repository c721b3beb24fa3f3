"""The names of a variant's classes: written in it, in a file beside it, or in its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from convertkit.models.package import ModelPackage, Variant

CHECKPOINT = "checkpoint"
"""Said for ``classes`` where the names are those that training wrote into the checkpoint."""

LONGEST = 1 << 20
"""Bytes of a file of names."""


def class_names(package: ModelPackage, variant: Variant, weights: str | None) -> tuple[str, ...] | None:
    """The variant's own names; None where it has none, and the package's hold.

    Args:
        weights: what was asked for instead of the variant's own: a checkpoint's path, or ``random:SEED``.

    Raises:
        SpecError: a file of names is missing or has none; a checkpoint says nothing of classes. UsageError and its kin:
            there is no checkpoint.
    """
    told = variant.spec.classes
    if told is None or isinstance(told, tuple):
        return told
    if told == CHECKPOINT:
        return _of_checkpoint(package, variant, weights)
    return _of_file(variant.path(told), variant)


def _of_file(path: Path, variant: Variant) -> tuple[str, ...]:
    where = f"variant {variant.name}: classes: {path}"
    try:
        with path.open("rb") as stream:
            text = stream.read(LONGEST + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise SpecError(
            f"{where} cannot be read ({error})", hint=f"one name a line, a list, or {CHECKPOINT}"
        ) from error
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names or "" in names or len(text) > LONGEST:
        what = f"line {names.index('') + 1} is empty" if "" in names else "it is no list of names"
        raise SpecError(f"{where}: {what}", hint="one name a line, in the order of the network's labels")
    return names


def _of_checkpoint(package: ModelPackage, variant: Variant, weights: str | None) -> tuple[str, ...]:
    from convertkit.conversion.examine import examine
    from convertkit.conversion.framework import checkpoint_of

    file = checkpoint_of(package, variant, weights)
    job = {"task": "weights", "weights": {"checkpoint": str(file), "ema": variant.spec.weights.ema}}
    report = examine(package.root, package.spec, variant.spec, job)["report"]
    if not report.get("classes"):
        raise SpecError(
            f"variant {variant.name}: checkpoint {file} says nothing of classes",
            hint="give the list, or a file with one name a line: classes: classes.txt",
        )
    return tuple(report["classes"])
