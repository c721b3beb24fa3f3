"""The figures of all shards of one verification."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from convertkit.api.commands.asking import Place, path_of
from convertkit.api.commands.verify import Verified
from convertkit.conversion.events import Report, silent
from convertkit.verification.merging import merge as run


def merge(
    directories: Place | Sequence[Place],
    *,
    annotations: Place | None = None,
    results: Place | None = None,
    report: Report = silent,
) -> Verified:
    """Puts the shards of one verification together and judges it: figures, intervals and verdict of one run.

    Args:
        directories: what ``results`` of ``verify(..., shard=...)`` was given. The others are the options of
            ``convertkit merge``.

    Raises:
        ConvertkitError: a shard is missing, damaged or of another verification.
    """
    given = [directories] if isinstance(directories, str | Path) else directories
    where = {"annotations": path_of(annotations), "results": path_of(results)}
    return Verified.of(run(list(map(Path, given)), report=report, **where))
