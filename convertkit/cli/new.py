"""``convertkit new``: plugins and packages that are written for you."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli.options import JsonOption
from convertkit.cli.ui import note, print_json
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.detection.roles import Meaning
    from convertkit.plugins.scaffold import Kind

app = typer.Typer(
    help="Write a pass, a target or a model package to start from.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def new() -> None:
    """Write a pass, a target or a model package to start from."""


NameArgument = Annotated[
    str, typer.Argument(help="Its name on the command line, like drop-dropout.", metavar="NAME")
]
PackageOption = Annotated[
    bool, typer.Option("--package", help="Write a package that pip installs, in a directory NAME.")
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Directory to write to; default: here, of a package NAME."),
]


@app.command("pass")
def pass_(
    name: NameArgument,
    package: PackageOption = False,
    output: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a pass that works, and its test: edit both."""
    _write("pass", name, package, output, as_json)


@app.command()
def target(
    name: NameArgument,
    package: PackageOption = False,
    output: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a target that works, and its test: edit both."""
    _write("target", name, package, output, as_json)


def _write(kind: Kind, name: str, package: bool, output: Path | None, as_json: bool) -> None:
    from convertkit.plugins.scaffold import scaffold, write

    texts = scaffold(kind, name, package=package)
    directory = output or (Path(name) if package else Path())
    write(texts, directory)
    plugin, test = (directory / file for file in list(texts)[-2:])
    tried = f"cd {directory} && python -m pytest" if package else f"python -m pytest {test}"
    if as_json:
        print_json({kind: name, "files": [directory / file for file in texts], "next": tried})
        return
    print(f"{plugin}: a {kind} that works; {test.name} tests it")
    print(f"next: {tried}")


@app.command()
def model(
    name: Annotated[str, typer.Argument(help="Its name, and that of its directory.", metavar="NAME")],
    onnx: Annotated[Path, typer.Option("--onnx", help="The detector, an ONNX file; it stays where it is.")],
    size: Annotated[
        tuple[int, int] | None,
        typer.Option("--size", help="Height and width, where the file leaves them open.", metavar="H W"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory to write; default: NAME.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model package for an ONNX file: roles of its inputs and outputs are guessed, and said."""
    from convertkit.graph.io import load
    from convertkit.models.foreign import guess, model_yaml
    from convertkit.models.spec import ModelSpec
    from convertkit.models.yamlspec import parse, to_record
    from convertkit.storage.files import atomic_directory

    directory = output or Path(name)
    if directory.exists():
        raise UsageError(f"{directory} exists already", hint="give another NAME, or --output DIRECTORY")
    found = guess(load(onnx).proto, size)
    stock = os.path.relpath(onnx.resolve(), directory.resolve())
    text = model_yaml(name, Path(stock).as_posix(), found)
    to_record(parse(text), ModelSpec, where="model.yaml")
    with atomic_directory(directory) as room:
        (room / "model.yaml").write_text(text, encoding="utf-8")
    if as_json:
        print_json(
            {
                "model": directory,
                "inputs": {key: role for key, (role, _) in found.inputs.items()},
                "outputs": {
                    key: {"role": one.role, "columns": one.row} for key, one in found.outputs.items()
                },
                "size": found.size,
                "classes": len(found.classes),
                "doubts": found.doubts,
            }
        )
        return
    for doubt in found.doubts:
        note(f"check {doubt}")
    print(f"{directory / 'model.yaml'}: {_line(found.outputs)}")
    print(f"next: convertkit build {directory} --target cpu")


def _line(outputs: Mapping[str, Meaning]) -> str:
    return ", ".join(f"{name} is {one.role}" for name, one in outputs.items())
