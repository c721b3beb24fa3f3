"""``convertkit new``: plugins and packages that are written for you."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption
from convertkit.cli.ui import answer, note

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
    from convertkit.api.commands.new import plugin

    answer(plugin("pass", name, package=package, output=output), as_json=as_json)


@app.command()
def target(
    name: NameArgument,
    package: PackageOption = False,
    output: DirectoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a target that works, and its test: edit both."""
    from convertkit.api.commands.new import plugin

    answer(plugin("target", name, package=package, output=output), as_json=as_json)


@app.command()
def model(
    name: Annotated[str, typer.Argument(help="Its name, and that of its directory.", metavar="NAME")],
    onnx: Annotated[Path, typer.Option("--onnx", help="The detector, an ONNX file; it stays where it is.")],
    size: Annotated[
        tuple[int, int] | None,
        typer.Option("--size", help="Height and width, where the file leaves them open.", metavar="H W"),
    ] = None,
    package: Annotated[
        bool,
        typer.Option("--package", help="Write a package that pip installs, with a copy of the file in it."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory to write; default: NAME.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model package for an ONNX file: roles of its inputs and outputs are guessed, and said."""
    from convertkit.api.commands.new import model as run

    found = run(name, onnx, size=size, package=package, output=output)
    for doubt in found["doubts"] if not as_json else ():
        note(f"check {doubt}")
    answer(found, as_json=as_json)
