"""``convertkit diff``: two graphs node by node, whatever things are called in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption, ReportOption
from convertkit.cli.ui import BuildView, answer


def diff(
    first: Annotated[Path, typer.Argument(help="ONNX file, or an artifact's directory.", metavar="A")],
    second: Annotated[Path, typer.Argument(help="What it is compared with.", metavar="B")],
    html: ReportOption = None,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two graphs: what was removed, added, changed and retyped from A to B.

    Exit code 1 where they differ in more than names.
    """
    from convertkit.api.commands.diff import diff as run

    found = run(first, second, html=html, plugin=plugin or (), report=BuildView())
    answer(found, as_json=as_json)
    if not found.equal:
        raise typer.Exit(1)
