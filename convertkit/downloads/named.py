"""A dataset that has a name: fetched once, unpacked, and the same ever after.

Where nobody said a file's sha256 that of the first download is recorded in ``digests.json``, by address, and every
later download is compared with it, also after the dataset was removed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct, structs

from convertkit.downloads.catalogue import DatasetEntry, DatasetFile, entry_of
from convertkit.downloads.fetch import BACKOFF_SECONDS, downloads_directory, fetch, file_name
from convertkit.downloads.unpack import is_archive, unpack
from convertkit.errors import SpecError, UnavailableError, UsageError
from convertkit.storage.files import (
    FileLock,
    atomic_directory,
    atomic_write,
    canonical_json,
    sha256_bytes,
    sha256_file,
)
from convertkit.storage.progress import Bar, no_bar
from convertkit.storage.reading import own_file

RECORD = "dataset.json"


class FetchedDataset(Struct, frozen=True):
    """Where a dataset lies, and what the files are that it came from.

    Attributes:
        annotations_sha256: of the annotation file; photos have theirs in no record but that of their archive.
    """

    name: str
    directory: str
    annotations: str
    images: str
    annotations_sha256: str
    files: tuple[DatasetFile, ...]


class _Record(Struct, frozen=True):
    """``dataset.json``, written last."""

    annotations_sha256: str
    files: tuple[DatasetFile, ...]


def dataset_of(name: str) -> FetchedDataset:
    """A dataset that was fetched.

    Raises:
        UnknownNameError: nobody knows the name. UsageError: it was not fetched yet.
        SpecError: its annotations are not what was fetched.
    """
    entry = entry_of(name)
    place = _place(name, entry)
    record, again = _recorded(place), f"run convertkit fetch --dataset {name}"
    if record is None:
        raise UsageError(f"dataset {name} is not on this machine", hint=again)
    annotations = place / entry.annotations
    if not annotations.is_file() or sha256_file(annotations) != record.annotations_sha256:
        raise SpecError(f"{annotations}: not what was fetched", hint=f"remove {place} and {again}")
    images = str(place / entry.images)
    return FetchedDataset(name, str(place), str(annotations), images, record.annotations_sha256, record.files)


def fetch_dataset(
    name: str,
    *,
    bar: Bar = no_bar,
    on_wait: Callable[[str], None] | None = None,
    backoff: float = BACKOFF_SECONDS,
) -> FetchedDataset:
    """Downloads and unpacks a dataset; one that is there already is left as it is.

    Downloads go on where they stopped. The dataset appears when all of it is unpacked; then its archives go.

    Args:
        on_wait, backoff: as :func:`convertkit.downloads.fetch.fetch` takes them.

    Raises:
        UnknownNameError: nobody knows the name.
        UnavailableError: a server cannot be reached, or has another file than it is said to have or had the first time.
        SpecError: an archive is dangerous or damaged, or annotations or photos are not in it.
        StoreError: the place cannot be written.
    """
    entry = entry_of(name)
    place = _place(name, entry)
    archives = place.with_name(f"{place.name}.files")
    with FileLock(place.with_name(f"{place.name}.lock"), on_wait=on_wait):
        if _recorded(place) is None:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(place)
            known = _digests()
            paths = [_download(file, known, archives, bar, on_wait, backoff) for file in entry.files]
            files = tuple(map(_measured, entry.files, paths))
            with atomic_directory(place) as scratch:
                _unpack_all(entry, paths, scratch)
                _write(scratch / RECORD, _Record(sha256_file(scratch / entry.annotations), files))
            _remember(files)
            shutil.rmtree(archives)
    return dataset_of(name)


def _place(name: str, entry: DatasetEntry) -> Path:
    """Another entry of the same name is another dataset."""
    key = sha256_bytes(canonical_json(msgspec.to_builtins(entry)))[:12]
    return downloads_directory() / "datasets" / f"{name}-{key}"


def _recorded(place: Path) -> _Record | None:
    data = own_file(place / RECORD)
    try:
        return None if data is None else msgspec.json.decode(data, type=_Record)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _download(
    file: DatasetFile,
    known: Mapping[str, str],
    archives: Path,
    bar: Bar,
    on_wait: Callable[[str], None] | None,
    backoff: float,
) -> Path:
    sha256 = file.sha256 or known.get(file.url)
    with bar(file_name(file.url), file.size or 0) as advance:
        try:
            return fetch(
                file.url,
                sha256,
                file.size,
                archives,
                lambda done, total: advance(done),
                on_wait=on_wait,
                backoff=backoff,
            )
        except UnavailableError as error:
            if sha256 is not None and file.sha256 is None:
                error.hint = f"{error.hint}; the sha256 is that of the first download, in {_digests_path()}"
            raise


def _unpack_all(entry: DatasetEntry, paths: list[Path], scratch: Path) -> None:
    """What annotations and photos are of; a file that is no archive is one of them as it stands."""
    annotations, images = PurePosixPath(entry.annotations), PurePosixPath(entry.images)
    left = entry.most_bytes
    for path in paths:
        if is_archive(path):
            left -= unpack(path, scratch, lambda name: name == annotations or images in name.parents, left)
        elif path.name == annotations.name:
            (scratch / annotations).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, scratch / annotations)
        else:
            raise SpecError(f"{path}: neither an archive (.zip, .tar) nor {annotations.name}")
    if not (scratch / annotations).is_file():
        raise SpecError(f"{', '.join(path.name for path in paths)}: no {annotations} in it")
    if not (scratch / images).is_dir():
        raise SpecError(f"{', '.join(path.name for path in paths)}: no directory {images} in it")


def _measured(file: DatasetFile, path: Path) -> DatasetFile:
    return structs.replace(file, size=path.stat().st_size, sha256=sha256_file(path))


def _digests_path() -> Path:
    return downloads_directory() / "digests.json"


def _digests() -> dict[str, str]:
    """Digests of first downloads, by address.

    Raises:
        SpecError: the record is damaged; without it a changed file would go unseen.
    """
    data = own_file(_digests_path())
    try:
        return {} if data is None else msgspec.json.decode(data, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SpecError(f"{_digests_path()}: not a record of digests ({error})") from error


def _remember(files: tuple[DatasetFile, ...]) -> None:
    with FileLock(_digests_path().with_suffix(".lock")):
        _write(_digests_path(), {file.url: file.sha256 for file in files} | _digests())


def _write(path: Path, value: object) -> None:
    atomic_write(path, msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
