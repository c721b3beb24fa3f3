"""``verify`` in parts: which photos are this process's, and what it leaves for ``merge``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from convertkit.cli.ui import note

if TYPE_CHECKING:
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
