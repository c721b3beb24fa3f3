"""A point as a variant's file: for people to review, and for ``build --variant``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import yaml

from convertkit.models.extending import is_file
from convertkit.models.package import Variant
from convertkit.storage.files import atomic_write
from convertkit.tuning.levers import Change

WIDTH = 10_000
"""Letters of a line: a pass and its options stay on one."""


def variant_text(base: Variant, change: Change, directory: Path, remarks: Iterable[str] = ()) -> str:
    """A file in ``directory`` that extends a variant; the same point gives the same text.

    Args:
        remarks: lines of comment in front.
    """
    name = base.given
    if is_file(name):
        name = Path(os.path.relpath(Path(name).resolve(), directory.resolve())).as_posix()
    keys = {"extends": name, "size": list(base.spec.size), **change}
    text = yaml.safe_dump(keys, sort_keys=False, default_flow_style=None, width=WIDTH, allow_unicode=True)
    return "".join(f"# {line}\n" for line in remarks) + text


def write_variant(path: Path, base: Variant, change: Change, remarks: Iterable[str] = ()) -> Path:
    """Writes it; StoreError where it cannot be written."""
    atomic_write(path, variant_text(base, change, path.parent, remarks))
    return path
