"""Several profiles by way of files: a directory of prepared files for each, and which photo went where.

Each directory is an ordinary one, of the photos that suit its size; ``profiles.json`` beside them has all photos in
their order. A runtime's results lie in directories of the same names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from convertkit.children.process import usable_processors
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.profiles import Size, best_size, parse_size, size_text
from convertkit.errors import SpecError, UsageError
from convertkit.offline.photos import Photo
from convertkit.offline.prepared import Prepared, read_record
from convertkit.offline.result_files import ResultFiles
from convertkit.storage.files import TEMPORARY, atomic_write
from convertkit.storage.reading import read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "profiles.json"
FORMAT = 1


class Split(Struct, frozen=True, forbid_unknown_fields=True):
    """Which profile every photo is prepared for.

    Attributes:
        own: whether these are all the photos that the accuracy spec was written for.
        photos: stem -> ``800x1216``, in the order of the annotation file, or of the photos' names.
    """

    format: int
    own: bool
    photos: dict[str, str]

    @classmethod
    def of(cls, photos: Sequence[Photo], sizes: Sequence[Size], *, own: bool) -> Split:
        """Each photo at the size in which it keeps the largest scale; one of unknown size is read."""
        with ThreadPoolExecutor(usable_processors()) as pool:
            extents = pool.map(_extent, photos)
            chosen = (size_text(best_size(*extent, sizes)) for extent in extents)
            return cls(FORMAT, own, {photo.stem: name for photo, name in zip(photos, chosen, strict=True)})

    def counts(self) -> dict[str, int]:
        """How many photos each profile has; those without one are left out."""
        return dict(Counter(self.photos.values()))

    def begin(self, root: Path) -> None:
        """Writes the record into ``root``, before the files: it says to the next run that all else there is ours.

        Raises:
            UsageError: something else is there.
        """
        if root.exists() and not (root / NAME).is_file():
            others = (path for path in sorted(root.iterdir()) if not path.name.endswith(TEMPORARY))
            if other := next(others, None):
                raise UsageError(
                    f"--output {root}: {other.name} is there, and no {NAME}", hint="choose an empty directory"
                )
        root.mkdir(parents=True, exist_ok=True)
        atomic_write(root / NAME, msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    def records(self, root: Path) -> dict[str, Prepared]:
        """The record of each profile that has photos.

        Raises:
            UsageError: one is not finished, or is of other photos.
        """
        found = {name: read_record(root / name) for name in self.counts()}
        there = {photo.stem: name for name, record in found.items() for photo in record.photos}
        if there != self.photos:
            raise UsageError(f"{root}: its profiles are of other photos than {NAME}", hint="preprocess again")
        return found

    def whole(self, records: Mapping[str, Prepared]) -> Prepared:
        """One record of all photos, in their order; what is of one size in it is the first's."""
        photos = {photo.stem: photo for record in records.values() for photo in record.photos}
        ordered = tuple(photos[stem] for stem in self.photos)
        return msgspec.structs.replace(next(iter(records.values())), photos=ordered, own=self.own)


def read_split(root: Path) -> Split | None:
    """The record of a directory that was filled for several profiles; None where there is none.

    Raises:
        SpecError: it is damaged or of a format this convertkit does not know.
    """
    path = root / NAME
    if not path.is_file():
        return None
    found = read_json(path, Split, "a record of convertkit preprocess", error=SpecError)
    if found.format != FORMAT or not found.photos or not all(map(parse_size, found.photos.values())):
        raise SpecError(f"{path}: not a record of photos that this convertkit knows")
    return found


@dataclass(frozen=True)
class ProfiledFiles:
    """The result files of every profile, as those of one run.

    Attributes:
        root: the directory in which each profile has one.
        parts: by profile.
        photos: stem -> profile.
    """

    root: Path
    parts: Mapping[str, ResultFiles]
    photos: Mapping[str, str]

    @property
    def count(self) -> int:
        return next(iter(self.parts.values())).count

    @property
    def summary(self) -> str:
        return "; ".join(f"{name}: {part.summary}" for name, part in self.parts.items())

    def problems(self, *, partial: bool = False) -> list[str]:
        """As :meth:`ResultFiles.problems`, each behind its profile."""
        return [
            f"{name}/{line}" for name, part in self.parts.items() for line in part.problems(partial=partial)
        ]

    def complete(self, stem: str) -> bool:
        return self.parts[self.photos[stem]].complete(stem)

    def read(self, stem: str) -> dict[str, NDArray[Any]]:
        return self.parts[self.photos[stem]].read(stem)


def _extent(photo: Photo) -> Size:
    if photo.size is not None:
        return photo.size
    height, width = decode(photo.path, photo_bytes(photo.path)).shape[:2]
    return height, width
