"""``convertkit cache``: what convertkit keeps on this machine, and how to have the room back."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.api.commands import cache as run
from convertkit.cli.options import JsonOption
from convertkit.cli.ui import answer

app = typer.Typer(
    help="Show what convertkit keeps on this machine, and remove what can be made again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def listing(as_json: JsonOption = False) -> None:
    """List the rooms of the cache, what they hold and how large they are."""
    answer(run.rooms(), as_json=as_json)


@app.command()
def size(as_json: JsonOption = False) -> None:
    """Print how much room the cache takes, export environments included."""
    answer(run.size(), as_json=as_json)


@app.command()
def prune(
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="What finished steps may take, like 5GB; default: CONVERTKIT_STORE_SIZE or 20GB. "
            "Those used longest ago go first, none that was used within the last hour.",
            metavar="SIZE",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Remove all that can be made again: store, datasets, journals, failures."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove the leftovers of killed runs, and finished steps beyond a size.

    Every build does the same at its end. Downloads and export environments stay.
    """
    answer(run.prune(to, everything=everything), as_json=as_json)
