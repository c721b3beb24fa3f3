"""The ``index path width height`` file that scripts beside a runtime read.

Their parsers split a line at blanks and know no quoting, so a path with a blank is refused rather than quoted.
The index counts from 0 through the whole file; the size is that of the photo as it is preprocessed (EXIF
orientation applied), or of the network input where the prepared files are listed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from convertkit.children.process import usable_processors
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.errors import SpecError, UsageError
from convertkit.offline.photos import photos_of_directory
from convertkit.offline.prepared import read_record
from convertkit.storage.files import atomic_write

Entry = tuple[Path, int, int]
"""A path, its width and its height in pixels."""


def of_directory(directory: Path) -> list[Entry]:
    """The images in a directory, each one decoded.

    Raises:
        UsageError: there is no image, or one that OpenCV cannot read.
    """
    paths = [photo.path for photo in photos_of_directory(directory)]
    with ThreadPoolExecutor(usable_processors()) as pool:
        return list(pool.map(_measured, paths))


def of_photos(root: Path) -> list[Entry]:
    """The photos of a directory that ``convertkit preprocess`` filled, with their own sizes; none is read."""
    record = read_record(root)
    found = []
    for photo in record.photos:
        if photo.placement is None:
            raise SpecError(f"{photo.name}: the model keeps no placement, so its size is not recorded")
        place = Path(record.images) / photo.name
        found.append((place, photo.placement.source_width, photo.placement.source_height))
    return found


def of_inputs(root: Path) -> list[Entry]:
    """The prepared files of the first input, with the size of the network input."""
    record = read_record(root)
    height, width = record.size
    directory = record.directories(root)[record.inputs[0].name]
    return [(directory / f"{photo.stem}.{record.suffix}", width, height) for photo in record.photos]


def write(entries: Iterable[Entry], path: Path) -> int:
    """Writes the file and returns the number of its lines.

    Raises:
        UsageError: a path has a blank (or a line break) in it.
    """
    lines = []
    for index, (place, width, height) in enumerate(entries):
        text = os.fspath(place)
        if any(letter.isspace() for letter in text):
            raise UsageError(
                f"{text!r}: a path with a blank cannot stand in an info file, its readers split at blanks",
                hint="rename it, or make a link without blanks to the directory",
            )
        lines.append(f"{index} {text} {width} {height}\n")
    atomic_write(path, "".join(lines))
    return len(lines)


def _measured(path: Path) -> Entry:
    pixels = decode(path, photo_bytes(path))
    return path, pixels.shape[1], pixels.shape[0]
