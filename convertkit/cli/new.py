"""``convertkit new``: packages that are written for you."""

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

app = typer.Typer(help="Write a package to start from.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def new() -> None:
    """Write a package to start from."""


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
