"""Model packages: their data checked, their code loaded, and single names out of it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from convertkit.errors import PluginError, SpecError, UsageError
from convertkit.models.base import Model
from convertkit.models.package import ModelPackage, check_spec, read_spec
from convertkit.plugins.loading import Plugins, unique_name


def open_package(root: Path, plugins: Plugins) -> ModelPackage:
    """Opens a model package directory and loads its plugin.

    Raises:
        UsageError: no such directory or no ``model.yaml`` in it. SpecError: ``model.yaml`` is wrong, or its plugin
            registers no model of its name.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError(
            f"model package {root}: no such directory", hint="give the directory that holds model.yaml"
        )
    if not (root / "model.yaml").is_file():
        raise UsageError(f"model package {root}: there is no model.yaml in it")
    root = root.resolve()
    spec = read_spec(root)
    check_spec(spec, root)
    plugins.load_package(root, spec.plugin)
    if spec.plugin is None:
        return ModelPackage(root, spec, Model(spec))
    if spec.name not in plugins.models:
        known = ", ".join(entry.name for entry in plugins.models) or "nothing"
        raise SpecError(f"{root / spec.plugin}: registers no model named {spec.name!r} (registered: {known})")
    return ModelPackage(root, spec, plugins.models.get(spec.name)(spec))


def package_attribute(root: Path, file: Path, name: str) -> Any:
    """``name`` out of a Python file inside a model package that was loaded, with its relative imports working.

    Raises:
        PluginError: the file cannot be imported, or has no such name.
    """
    parts = Path(file).resolve().relative_to(Path(root).resolve()).with_suffix("").parts
    dotted = ".".join((unique_name("model", Path(root).resolve()), *parts))
    try:
        return getattr(importlib.import_module(dotted), name)
    except Exception as error:
        raise PluginError(f"{file}: {name} cannot be loaded: {type(error).__name__}: {error}") from error
