"""Plugins and packages that are written for people to start from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.api.commands.pages import Block, Shown
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.plugins.scaffold import Kind


class Plugin(Shown, dict[str, Any]):
    """The plugin's name by its kind, its ``files``, and what to do ``next``."""

    def page(self) -> Iterator[Block]:
        plugin, test = self["files"][-2:]
        yield f"{plugin}: a {next(iter(self))} that works; {test.name} tests it"
        yield f"next: {self['next']}"


class Model(Shown, dict[str, Any]):
    """The package's directory, what was guessed, and what to do ``next``."""

    def page(self) -> Iterator[Block]:
        roles = ", ".join(f"{name} is {one['role']}" for name, one in self["outputs"].items())
        yield f"{self['model'] / 'model.yaml'}: {roles}"
        yield f"next: {self['next']}"


def plugin(kind: Kind, name: str, *, package: bool = False, output: Path | None = None) -> Plugin:
    """Writes a pass or a target that works, and its test, as one file or as a package that pip installs."""
    from convertkit.plugins.scaffold import scaffold, write

    texts = scaffold(kind, name, package=package)
    directory = output or (Path(name) if package else Path())
    write(texts, directory)
    files = [directory / file for file in texts]
    tried = f"cd {directory} && python -m pytest" if package else f"python -m pytest {files[-1]}"
    return Plugin({kind: name, "files": files, "next": tried})


def model(
    name: str,
    onnx: Path,
    *,
    size: tuple[int, int] | None = None,
    package: bool = False,
    output: Path | None = None,
) -> Model:
    """Writes a model package for an ONNX file, which stays where it is.

    Args:
        size: height and width, where the file leaves them open.
        package: as one that pip installs, with a copy of the file in it, and a test.
    """
    from convertkit.graph.io import load, save
    from convertkit.models.foreign import guess, model_yaml
    from convertkit.models.spec import ModelSpec
    from convertkit.models.yamlspec import parse, to_record
    from convertkit.plugins.scaffold import scaffold, write
    from convertkit.storage.files import atomic_directory

    directory = output or Path(name)
    if directory.exists():
        raise UsageError(f"{directory} exists already", hint="give another NAME, or --output DIRECTORY")
    texts = scaffold("model", name, package=True) if package else {}
    home = directory / Path(list(texts)[1]).parent if package else directory
    graph = load(onnx)
    found = guess(graph.proto, size)
    stock = onnx.name if package else Path(os.path.relpath(onnx.resolve(), directory.resolve())).as_posix()
    texts[(home.relative_to(directory) / "model.yaml").as_posix()] = text = model_yaml(name, stock, found)
    to_record(parse(text), ModelSpec, where="model.yaml")
    with atomic_directory(directory) as room:
        write(texts, room)
        if package:
            save(graph, room / home.relative_to(directory) / stock)
    tried = f"cd {directory} && python -m pytest" if package else f"convertkit build {directory} --target cpu"
    return Model(
        model=home,
        inputs={key: role for key, (role, _) in found.inputs.items()},
        outputs={key: {"role": one.role, "columns": one.row} for key, one in found.outputs.items()},
        size=found.size,
        classes=len(found.classes),
        doubts=found.doubts,
        next=tried,
    )
