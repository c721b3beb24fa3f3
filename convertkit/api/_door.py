"""How a part of the door loads its names on first use."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Part = tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]


def door(module: str, file: str) -> Part:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a module whose imports stand under ``TYPE_CHECKING``.

    What type checkers read is the table, so that there is no second one to keep equal.
    """
    homes = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("convertkit.")
        for alias in node.names
        if alias.asname
    }

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return load, lambda: sorted(homes), sorted(homes)
