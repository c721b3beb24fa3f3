"""The figures of all shards of one verification."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from convertkit.api.commands.asking import Place, path_of
from convertkit.api.commands.reporting import page_file
from convertkit.api.commands.verify import Verified, write_page
from convertkit.conversion.events import Report, silent
from convertkit.verification.merging import merge as run


def merge(
    directories: Place | Sequence[Place],
    *,
    annotations: Place | None = None,
    images: Place | None = None,
    results: Place | None = None,
    html: Place | None = None,
    report: Report = silent,
) -> Verified:
    """Puts the shards of one verification together and judges it: figures, intervals and verdict of one run.

    Args:
        directories: what ``results`` of ``verify(..., shard=...)`` was given. The others are the options of
            ``convertkit merge``.
        html: also write a page of it to this file (``--report``); needs the extra ``report``.

    Raises:
        ConvertkitError: a shard is missing, damaged or of another verification.
    """
    given = [directories] if isinstance(directories, str | Path) else directories
    told = partial(write_page, page_file(html), report, ())
    where = {"annotations": path_of(annotations), "images": path_of(images), "results": path_of(results)}
    return Verified.of(run(list(map(Path, given)), report=report, told=told, **where))
