"""A variant's checkpoint from where its authors published it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from convertkit.api.commands.asking import Place, located
from convertkit.api.commands.pages import Block, Shown
from convertkit.conversion.events import Report, Said
from convertkit.errors import UsageError
from convertkit.storage.files import megabytes
from convertkit.verification.ladder import Bar


class Fetched(Shown, Struct, frozen=True):
    """The checkpoint."""

    path: str
    bytes: int

    def page(self) -> Iterator[Block]:
        yield f"{self.path} ({megabytes(self.bytes)}, sha256 verified)"


def fetch(model: Place, *, variant: str | None, url: str | None, report: Report, bar: Bar) -> Fetched:
    """Downloads a variant's checkpoint and verifies it.

    Args:
        url: another place to get the same file from.
        bar: progress over bytes.
    """
    from convertkit.conversion.framework import downloads_directory
    from convertkit.exporting.fetch import fetch as download
    from convertkit.models.package import find_variant, read_spec

    root = located(str(model))
    chosen = find_variant(root, read_spec(root), variant)
    weights = chosen.spec.weights
    source = url or weights.url
    if source is None or weights.sha256 is None:
        raise UsageError(
            f"variant {chosen.name} has nothing to download", hint="its weights travel with the package"
        )
    with bar("download", weights.size or 0) as advance:
        path = download(
            source,
            weights.sha256,
            weights.size,
            downloads_directory(),
            on_progress=lambda done, total: advance(done),
            on_wait=lambda phrase: report(Said(f"waiting: {phrase}")),
        )
    return Fetched(str(path), path.stat().st_size)
