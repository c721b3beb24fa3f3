"""The figures of all shards of one verification."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from convertkit.api.commands.places import Place, path_of, where_of
from convertkit.api.commands.reporting import page_file
from convertkit.api.commands.verify import Verified, write_page
from convertkit.conversion.events import Report, silent
from convertkit.storage.copies import here
from convertkit.storage.urls import Url, where
from convertkit.verification.merging import merge as run


def merge(
    directories: Place | Url | Sequence[Place | Url],
    *,
    annotations: Place | Url | None = None,
    images: Place | Url | None = None,
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
    given = [directories] if isinstance(directories, str | Path | Url) else directories
    told = partial(write_page, page_file(html), report, ())
    data = {"annotations": where_of(annotations), "images": where_of(images)}
    places = [here(where(place)) for place in given]
    return Verified.of(run(places, **data, results=path_of(results), report=report, told=told))
