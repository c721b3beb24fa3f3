"""Which photos are worked on, and the stem under which each one's files are found again.

The stem is the file's name before its first dot: what the runtimes that read files make of a name when they
write ``<stem>_<output>.bin``. Two photos of one stem would overwrite each other's files, so they are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from convertkit.datasets.coco import CocoDataset
from convertkit.datasets.places import SUFFIXES
from convertkit.errors import UsageError
from convertkit.storage.urls import local


@dataclass(frozen=True)
class Photo:
    """One photo: the stem of its files, where it lies, its name from the directory of photos, its id if it has one.

    ``size`` is height and width in pixels as the annotations say; None where there are none.
    """

    stem: str
    path: Path
    name: str
    id: int | None = None
    size: tuple[int, int] | None = None

    def __str__(self) -> str:
        return self.name


def stem_of(name: str) -> str:
    """The name of a file before its first dot, without directories.

    >>> stem_of("val/000000000139.resized.jpg")
    '000000000139'
    """
    return Path(name).name.split(".", 1)[0]


def photos_of_directory(directory: Path, limit: int | None = None) -> tuple[Photo, ...]:
    """The images in a directory (not below it), in the order of their names.

    Raises:
        UsageError: no such directory, no image in it, or two of one stem.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory of images")
    paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    for path in paths:
        if not path.name.isprintable():  # half of the files made of it could not be written down
            raise UsageError(f"{directory}: {path.name!r} is no plain text", hint="rename it")
    if not paths:
        raise UsageError(f"{directory}: no image in it", hint=f"known: {', '.join(SUFFIXES)}")
    return _distinct(Photo(stem_of(path.name), path, path.name) for path in paths[:limit])


def photos_at(paths: Iterable[Path], limit: int | None = None) -> tuple[Photo, ...]:
    """The images at paths, in that order: files of any name, and those in directories.

    Raises:
        UsageError: nothing is there, a directory has no image, or two are of one stem.
    """
    found: list[Photo] = []
    for path in paths:
        if path.is_dir():
            found += photos_of_directory(path)
        elif path.is_file():
            found.append(Photo(stem_of(path.name), path, path.name))
        else:
            raise UsageError(f"{path}: no such photo or directory of photos")
    return _distinct(found[:limit])


def photos_of_dataset(dataset: CocoDataset, directory: Path) -> tuple[Photo, ...]:
    """The photos of a dataset, in the order of its annotation file.

    Raises:
        UsageError: two photos of one stem.
    """
    return _distinct(
        Photo(
            stem_of(image.path.name),
            path := local(image.path, "convertkit preprocess"),
            path.relative_to(directory).as_posix(),
            image.id,
            (image.height, image.width),
        )
        for image in dataset.images
    )


def _distinct(photos: Iterable[Photo]) -> tuple[Photo, ...]:
    found: list[Photo] = []
    seen: dict[str, Photo] = {}
    clashes: list[str] = []
    for photo in photos:
        if not photo.stem:
            raise UsageError(f"{photo.path}: its name begins with a dot, so its files would have no name")
        first = seen.setdefault(photo.stem, photo)
        if first is not photo:
            clashes.append(f"{first.name} and {photo.name}")
        found.append(photo)
    if clashes:
        more = f", and {len(clashes) - 1} more pairs" if len(clashes) > 1 else ""
        raise UsageError(
            f"{clashes[0]} have the same name before the first dot, so would their files{more}",
            hint="rename one of them",
        )
    return tuple(found)
