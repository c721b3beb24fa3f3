"""``verify`` in parts: which photos are this process's, and what it leaves for ``merge``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from convertkit.cli.ui import note, print_json
from convertkit.errors import visible

if TYPE_CHECKING:
    from convertkit.verification.sealed import ShardRecord
    from convertkit.verification.shards import Shard

ShardOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--shard",
        help="Only the I-th of N parts of the photos, for merge; default: as torchrun or slurm number their tasks.",
        metavar="I/N",
    ),
]
WorkersOption: TypeAlias = Annotated[
    int,
    typer.Option(
        "--workers", help="Run photos in so many processes, each with its own runtime.", min=1, max=1024
    ),
]


def shard_in(text: str | None) -> Shard:
    """The shard that was asked for; said in one line where a launcher made it."""
    from convertkit.verification.shards import chosen_shard

    shard, said = chosen_shard(text, os.environ)
    if said:
        note(f"note: shard {shard}, by {said}")
    return shard


def show_shard(found: ShardRecord, results: Path | None, *, as_json: bool) -> None:
    """What a shard has measured; nothing is judged yet."""
    if as_json:
        print_json(found)
        return
    terms = found.terms
    left_out = f" ({len(found.bad)} left out)" if found.bad else ""
    print(
        f"{terms.model} {terms.variant} on {terms.target}, shard {found.shard}: {found.photos} photos{left_out}"
    )
    for rung in found.rungs:
        print(f"{rung.name} failed: {visible(rung.failure)}" if rung.failure else f"{rung.name} measured")
    print(f"when all {found.count} are there: convertkit merge {results}")
