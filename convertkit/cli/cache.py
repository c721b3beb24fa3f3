"""``convertkit cache``: what convertkit keeps on this machine, and how to have the room back."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, refuse_both
from convertkit.cli.tables import print_table
from convertkit.cli.ui import print_json
from convertkit.storage.files import home, megabytes

app = typer.Typer(
    help="Show what convertkit keeps on this machine, and remove what can be made again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def listing(as_json: JsonOption = False) -> None:
    """List the rooms of the cache, what they hold and how large they are."""
    from convertkit.conversion.pruning import rooms

    found = rooms()
    if as_json:
        print_json({"home": str(home()), "rooms": found})
    elif found:
        print_table(
            ["room", "size", "holds"],
            [[room.name, megabytes(room.bytes), room.holds] for room in found],
            right=(1,),
        )
        print(f"in {home()}")
    else:
        print(f"nothing is kept in {home()}")


@app.command()
def size(as_json: JsonOption = False) -> None:
    """Print how much room the cache takes, export environments included."""
    from convertkit.conversion.pruning import size_of

    total = size_of(home())
    if as_json:
        print_json({"home": str(home()), "bytes": total})
    else:
        print(megabytes(total))


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
    from convertkit.conversion import pruning

    refuse_both("--all", "--to", everything, to)
    most = None if to is None else pruning.parse_size(to, "--to")
    freed = pruning.prune_all() if everything else pruning.prune(most)
    if as_json:
        print_json({"freed": freed})
    else:
        print(f"freed {megabytes(freed)}")
