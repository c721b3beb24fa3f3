"""``convertkit doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.ui import BuildView, answer


def doctor(
    as_json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything is amiss.")] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.zip",
            help="Pack this, versions, settings and the texts of the last failures, for a report of a fault.",
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Say what this machine has, and what is missing."""
    from convertkit.api.commands.doctor import doctor as run

    found = run(bundle=bundle, plugin=plugin or (), report=BuildView())
    answer(found, as_json=as_json)
    if strict:
        found.require()
