"""Plugins that are written for you: a pass or a target with its test, alone or as an installable package.

A model is one of data: as a package it is a directory with a ``model.yaml``, which whoever calls this writes.
"""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from convertkit.errors import UsageError
from convertkit.storage.files import atomic_write

Kind = Literal["pass", "target", "model"]
GROUPS = {"model": '"convertkit.models"'}
"""Entry points, where they are not those of plugins."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def scaffold(kind: Kind, name: str, *, package: bool) -> dict[str, str]:
    """The files of a plugin, path -> text, from the directory that they go to.

    Raises:
        UsageError: the name is not kebab-case, or that of a module that there is.
    """
    words = _words(name)
    module = words["module"]
    texts = {"plugin": _filled(f"{kind}.py", kind, words), "test": _filled(f"test_{kind}.py", kind, words)}
    if not package:
        return {f"{module}.py": texts["plugin"], f"test_{module}.py": texts["test"]}
    return {
        "pyproject.toml": _filled("pyproject.toml", kind, words),
        f"src/{module}/__init__.py": texts["plugin"],
        f"tests/test_{module}.py": texts["test"],
    }


def write(texts: dict[str, str], directory: Path) -> None:
    """Writes the files of :func:`scaffold`, over nothing.

    Raises:
        UsageError: one is there already.
    """
    there = next((directory / name for name in texts if (directory / name).exists()), None)
    if there is not None:
        raise UsageError(f"{there} exists already", hint="give another NAME, or --output DIRECTORY")
    for name, text in texts.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        atomic_write(directory / name, text.encode())


def _words(name: str) -> dict[str, str]:
    """What templates are filled with."""
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        hint = f"write {near}" if _NAME.fullmatch(near) else None
        raise UsageError(f"name {name!r} is not kebab-case, like 'drop-dropout'", hint=hint)
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or _installed(module):
        raise UsageError(
            f"name {name!r}: there is a Python module {module} already", hint="give another NAME"
        )
    parts = name.split("-")
    return {
        "name": name,
        "module": module,
        "Class": "".join(part.capitalize() for part in parts),
        "title": " ".join([parts[0].capitalize(), *parts[1:]]),
    }


def _installed(module: str) -> bool:
    """Whether an import would find another module of that name; a file beside us is the plugin itself."""
    found = find_spec(module)
    return found is not None and "site-packages" in str(found.origin)


def _filled(template: str, kind: Kind, words: dict[str, str]) -> str:
    text = (files("convertkit.plugins") / "templates" / f"{template}.txt").read_text(encoding="utf-8")
    return text.format(**words, kind=kind, group=GROUPS.get(kind, "convertkit"))
