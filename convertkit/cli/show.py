"""``convertkit show``: everything about one pass, target or model."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.ui import BuildView, answer


def show(
    kind: Annotated[str, typer.Argument(help="pass, target or model.", metavar="KIND")],
    name: Annotated[
        str, typer.Argument(help="Its name; for a model also the package's directory.", metavar="NAME")
    ],
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all about one pass, target or model package."""
    from convertkit.api.commands.show import show as run

    answer(run(kind, name, plugin=plugin or (), report=BuildView()), as_json=as_json)
