"""``convertkit env``: the export environments, each with a framework in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, ModelArgument
from convertkit.cli.ui import answer, moving, note

app = typer.Typer(
    help="Build, list and remove export environments.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def listing(as_json: JsonOption = False) -> None:
    """List the environments on this machine and how complete they are."""
    from convertkit.api.commands.environments import environments

    answer(environments(), as_json=as_json)


@app.command()
def build(
    model: ModelArgument,
    python: Annotated[
        Path | None,
        typer.Option("--python", help="Interpreter to make it from; default: the one convertkit runs in."),
    ] = None,
    env: Annotated[
        str | None, typer.Option("--env", help="Which of the package's environments; default: its own.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build a model package's export environment, or finish it; at once where it is complete."""
    from convertkit.api.commands.environments import build_environment

    answer(build_environment(model, python=python, env=env, line=note, moving=moving()), as_json=as_json)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Environment, as env list names it.", metavar="NAME")],
    as_json: JsonOption = False,
) -> None:
    """Remove an environment and everything in it."""
    from convertkit.api.commands.environments import remove_environment

    answer(remove_environment(name), as_json=as_json)
