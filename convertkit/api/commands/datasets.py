"""Datasets by name, and which of their photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import structs

from convertkit.api.commands.asking import refuse_both, refuse_meaningless
from convertkit.api.commands.pages import Block, Shown
from convertkit.datasets.subset import Subset
from convertkit.downloads.named import FetchedDataset
from convertkit.downloads.named import fetch_dataset as run
from convertkit.storage.files import megabytes
from convertkit.storage.progress import Bar, no_bar


class Obtained(Shown, FetchedDataset, frozen=True):
    """A dataset that is on this machine."""

    def page(self) -> Iterator[Block]:
        yield f"{self.name}: {self.annotations}, photos in {self.images}"
        for file in self.files:
            yield f"{file.url} ({megabytes(file.size or 0)}, sha256 {file.sha256})"


def subset_in(limit: int | None, photos: int | None, seed: int | None) -> Subset | None:
    """The choice that ``--subset`` and ``--seed`` ask for; UsageError where they say nothing together."""
    if photos is None:
        refuse_meaningless("all photos, without --subset", {"--seed": seed})
        return None
    refuse_both("--limit", "--subset", limit, photos)
    return Subset(photos, seed or 0)


def fetch_dataset(
    name: str, *, bar: Bar = no_bar, told: Callable[[str], None] = lambda line: None
) -> Obtained:
    """Downloads a dataset that a catalogue knows, once; interrupted downloads go on where they stopped.

    Args:
        bar: opened for every file, with its name and bytes. told: of another process that is waited for.

    Raises:
        ConvertkitError: the name is not known, a server cannot be reached or has another file, an archive is wrong.
    """
    found = run(name, bar=bar, on_wait=lambda phrase: told(f"waiting: {phrase}"))
    return Obtained(**structs.asdict(found))
