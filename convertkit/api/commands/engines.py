"""Which photos are run here, and whose processes run them: this machine's, or a cluster's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from convertkit.api.commands.asking import refuse_meaningless
from convertkit.conversion.events import Note, Report
from convertkit.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from convertkit.rungs.hands import Hand
    from convertkit.verification.shards import Shard

ENGINES = ("local", "ray")


def shard_in(text: str | None, report: Report) -> Shard:
    """What ``--shard`` says, or a launcher, which is told."""
    from convertkit.verification.shards import chosen_shard

    shard, launcher = chosen_shard(text, os.environ)
    if launcher:
        report(Note(f"shard {shard}, by {launcher}"))
    return shard


def hiring_of(
    engine: str, address: str | None, device: int
) -> contextlib.AbstractContextManager[Callable[..., Hand] | None]:
    """What makes workers, while it lasts; None for processes of this machine.

    Raises:
        UsageError: it cannot be asked for like this, or nobody is at the address. UnavailableError: Ray is not here.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if engine == "local":
        refuse_meaningless("engine local, which is this machine", {"--address": address})
        return contextlib.nullcontext()
    refuse_meaningless("engine ray, which gives each worker a chip", {"--device": device or None})
    if address is None:
        raise UsageError(
            "--engine ray needs --address", hint="give HOST:PORT, as `ray start --head` prints it"
        )
    from convertkit.workers.on_ray import hiring

    return hiring(address)
