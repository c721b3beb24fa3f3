"""A variant that says only what it has otherwise than another."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from msgspec import structs

from convertkit.models.classes import KNOWN
from convertkit.models.spec import VariantSpec

NOT_TAKEN = ("extends", "performance")
"""A speed that was measured is that of the other."""

STOCK_OF = ("size", "batch", "config", "weights")
"""What a stock graph was exported for."""

WORDS = (*KNOWN, "checkpoint")
"""What ``classes`` may say besides the name of a file."""


def is_file(name: str) -> bool:
    """Whether a variant is named by its file."""
    return name.endswith((".yaml", ".yml"))


def extended(
    own: VariantSpec, said: Collection[str], base: VariantSpec, root: Path, *, exports: bool
) -> VariantSpec:
    """The variant with another's keys where its own are left out.

    Args:
        said: the keys that are not.
        root: where the other one's paths start from; they become absolute.
        exports: whether a graph can be exported: the other one's stock graph is then not taken where this one is for
            another size, batch, configuration or checkpoint.
    """
    other = any(name in said and getattr(own, name) != getattr(base, name) for name in STOCK_OF)
    left = {*said, *NOT_TAKEN, *(("stock",) if exports and other else ())}
    found = _rooted(base, root)
    taken = {name: getattr(found, name) for name in own.__struct_fields__ if name not in left}
    return structs.replace(own, **{**taken, "extends": None})


def _rooted(spec: VariantSpec, root: Path) -> VariantSpec:
    """The same with absolute paths."""
    classes = spec.classes
    if isinstance(classes, str) and classes not in WORDS:
        classes = _absolute(classes, root)
    return structs.replace(
        spec,
        stock=_absolute(spec.stock, root),
        weights=_with_paths(spec.weights, root, "path"),
        config=_with_paths(spec.config, root, "file"),
        dataset=_with_paths(spec.dataset, root, "annotations", "images"),
        classes=classes,
    )


def _with_paths(record: Any, root: Path, *names: str) -> Any:
    if record is None:
        return None
    return structs.replace(record, **{name: _absolute(getattr(record, name), root) for name in names})


def _absolute(path: str | None, root: Path) -> str | None:
    return None if path is None else str((root / path).resolve())
