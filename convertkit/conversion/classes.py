"""The names of a variant's classes: those that it tells, or those in its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.errors import SpecError
from convertkit.models.classes import names_of

if TYPE_CHECKING:
    from convertkit.models.package import ModelPackage, Variant

CHECKPOINT = "checkpoint"
"""Said for ``classes`` where the names are those that training wrote into the checkpoint."""


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
    return names_of(told, variant.root, f"variant {variant.name}")


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
