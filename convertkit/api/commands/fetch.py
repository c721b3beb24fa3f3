"""A variant's checkpoint, or a dataset, from where its authors published it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from convertkit.api.commands.asking import refuse_meaningless
from convertkit.api.commands.datasets import Obtained, fetch_dataset
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.places import Place, located
from convertkit.conversion.events import Report, Said, said
from convertkit.errors import UsageError
from convertkit.storage.files import megabytes
from convertkit.storage.progress import Bar


class Fetched(Shown, Struct, frozen=True):
    """The checkpoint."""

    path: str
    bytes: int

    def page(self) -> Iterator[Block]:
        yield f"{self.path} ({megabytes(self.bytes)}, sha256 verified)"


def fetch(
    model: Place | None,
    *,
    variant: str | None,
    url: str | None,
    dataset: str | None,
    report: Report,
    bar: Bar,
) -> Fetched | Obtained:
    """Downloads a variant's checkpoint, or a dataset that a catalogue knows, and verifies it.

    Args:
        url: another place to get the same checkpoint from.
        bar: progress over bytes.
    """
    if (model is None) == (dataset is None):
        raise UsageError("give MODEL or --dataset NAME", hint="convertkit fetch --dataset coco-val2017")
    if model is not None:
        return _checkpoint(model, variant, url, report, bar)
    assert dataset is not None
    refuse_meaningless("a dataset", {"--variant": variant, "--url": url})
    return fetch_dataset(dataset, bar=bar, told=said(report))


def _checkpoint(model: Place, variant: str | None, url: str | None, report: Report, bar: Bar) -> Fetched:
    from convertkit.downloads.fetch import downloads_directory
    from convertkit.downloads.fetch import fetch as download
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
