"""``convertkit env``: the export environments, each with a framework in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, ModelArgument
from convertkit.cli.tables import print_table
from convertkit.cli.ui import StepView, note, print_json

app = typer.Typer(
    help="Build, list and remove export environments.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def listing(as_json: JsonOption = False) -> None:
    """List the environments on this machine and how complete they are."""
    from convertkit.exporting.inventory import list_environments

    found = list_environments()
    if as_json:
        print_json(found)
    elif found:
        rows = [[status.name, status.phase, str(status.directory)] for status in found]
        print_table(["environment", "state", "directory"], rows)
    else:
        print("no export environment yet; convertkit env build MODEL makes one")


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
    from convertkit.exporting.environment import Environment
    from convertkit.models.hook import hook_of
    from convertkit.models.package import read_spec

    spec = read_spec(model)
    hook = hook_of(model.resolve(), spec, env)
    environment = Environment.of(hook.name, hook.environment, hook.root, base_python=python)
    found = environment.ensure(on_progress=StepView(), on_wait=lambda phrase: note(f"waiting: {phrase}"))
    if as_json:
        print_json({"python": str(found), "directory": str(environment.directory)})
    else:
        print(f"ready: {found}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Environment, as env list names it.", metavar="NAME")],
) -> None:
    """Remove an environment and everything in it."""
    from convertkit.exporting.inventory import remove as run

    print(f"removed {run(name)}")
