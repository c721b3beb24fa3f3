"""Datasets by name: what a file of the product knows, and one of the user's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from convertkit.downloads.fetch import file_name
from convertkit.errors import SpecError, UnknownNameError
from convertkit.models.yamlspec import read_yaml, to_record

OURS = Path(__file__).with_name("datasets.yaml")
VARIABLE = "CONVERTKIT_DATASETS"


class DatasetFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file to download: size in bytes and sha256 (or its first 8 digits or more) where they are known."""

    url: str
    size: int | None = None
    sha256: str | None = None


class DatasetEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset: archives or plain files, and where in what they unpack to the annotations and photos are.

    ``most_bytes`` is what annotations and photos may take unpacked.
    """

    files: tuple[DatasetFile, ...]
    annotations: str
    images: str
    most_bytes: int = 64 << 30


def known() -> Mapping[str, DatasetEntry]:
    """All datasets that have a name.

    Raises:
        SpecError: the user's file is missing or wrong.
    """
    files = [OURS, *([Path(place)] if (place := os.environ.get(VARIABLE)) else [])]
    return {name: entry for file in files for name, entry in _read(file).items()}


def entry_of(name: str) -> DatasetEntry:
    """Raises UnknownNameError where no dataset has this name."""
    entries = known()
    if name not in entries:
        raise UnknownNameError("dataset", name, entries)
    return entries[name]


def _read(file: Path) -> dict[str, DatasetEntry]:
    data = read_yaml(file)
    if not isinstance(data, dict):
        raise SpecError(f"{file}: expected datasets by name, found {type(data).__name__}")
    return {
        name: _checked(f"{file}: {name}", name, to_record(value, DatasetEntry, where=f"{file}: {name}"))
        for name, value in data.items()
    }


def _checked(where: str, name: str, entry: DatasetEntry) -> DatasetEntry:
    """A name is one of a directory, and places stay below it."""
    if not name.isascii() or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise SpecError(f"{where}: no name for a dataset", hint="use letters, digits and -._")
    if not entry.files:
        raise SpecError(f"{where}: files: empty, so there is nothing to fetch")
    for key in ("annotations", "images"):
        place = PurePosixPath(getattr(entry, key))
        if place.is_absolute() or ".." in place.parts or (key == "annotations" and not place.name):
            raise SpecError(f"{where}: {key}: {str(place)!r} is no place below the dataset")
    names = [file_name(file.url) for file in entry.files]
    if twice := next((file for file in names if names.count(file) > 1), ""):
        raise SpecError(f"{where}: files: {twice} is the name of two of them")
    return entry
