"""``convertkit list``: what is there, by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.ui import BuildView, answer


def listing(
    kind: Annotated[str, typer.Argument(help="passes, targets, models, plugins or rules.", metavar="KIND")],
    plugin: PluginOption = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Whose rules are listed; default: all.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--models", help="List the model packages in this directory alone.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List passes, targets, models, plugins or the rules of convertkit lint."""
    from convertkit.api.commands.listing import listing as run

    answer(run(kind, target=target, root=root, plugin=plugin or (), report=BuildView()), as_json=as_json)
