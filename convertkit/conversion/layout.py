"""The artifact directory: everything is made ready beside its place, then moved in, the manifest last.

Whoever is killed before all is ready has changed nothing; after that, the next process moves in what is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from convertkit.conversion.manifest import NAME, FileEntry, Manifest, is_untouched, read_manifest
from convertkit.errors import SpecError, StoreError, UsageError
from convertkit.storage.files import atomic_directory, clean_leftovers, locked_directory, sha256_file
from convertkit.storage.locks import FULL, store_error

READY = ".convertkit-next"
"""A directory within the artifact's: what is about to be moved in, with its manifest."""


def is_current(output: Path, key: str) -> Manifest | None:
    """The manifest of an artifact that is already what the key stands for, with every file intact; else None."""
    try:
        manifest = read_manifest(output / NAME)
    except SpecError:
        return None
    if manifest.key != key or not is_untouched(output / NAME, manifest):
        return None
    intact = all(is_intact(output / name, entry) for name, entry in manifest.files.items())
    return manifest if intact else None


def is_intact(path: Path, entry: FileEntry) -> bool:
    """Whether a file is there and is what a manifest says of it."""
    return path.is_file() and path.stat().st_size == entry.bytes and sha256_file(path) == entry.sha256


def lay_out(
    output: Path, source: Path, manifest: Manifest, beside: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """Brings ``output`` to exactly the manifest's files; other files there are not touched.

    Args:
        source: has the files, but for those of ``beside``.

    Raises:
        UsageError: a file of the artifact would replace one that convertkit did not make, or the place cannot
            be written. StoreError: it is full.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with locked_directory(output):
            _lay_out(output, source, manifest, beside)
    except StoreError as error:
        error.message = error.message.replace(str(output / READY), str(output))
        raise
    except OSError as error:
        if error.errno in FULL:
            raise store_error(output, error) from error
        raise UsageError(
            f"{error.filename or output}: cannot be written: {error.strerror or error}",
            hint="check the place and its free space",
        ) from error


def settle(output: Path) -> None:
    """Goes on where a process was killed that had everything ready to be moved in, and removes what was not ready.

    Raises:
        StoreError: the place cannot be written. SpecError: what lies ready was not made by convertkit.
    """
    try:
        clean_leftovers(output)
        if (output / READY).is_dir():
            with locked_directory(output):
                _move_in(output)
    except OSError as error:
        raise store_error(Path(error.filename or output), error) from error


def refuse_no_directory(output: Path) -> None:
    """Says before the work, not after it, that the artifact has no place.

    Raises:
        UsageError: ``output``, or what it should lie in, is there and is no directory.
    """
    for place in (output, *output.parents):
        if place.exists():
            if not place.is_dir():
                raise UsageError(
                    f"--output {output}: {place} is no directory", hint="choose another --output"
                )
            return


def refuse_foreign(output: Path, names: Iterable[str], manifest: Manifest) -> None:
    """Refuses to replace files that convertkit did not make: neither its last manifest nor this one knows them.

    Raises:
        UsageError: names the first.
    """
    previous = _previous_files(output)
    for name in names:
        path, entry = output / name, manifest.files.get(name)
        ours = name in previous or (entry is not None and is_intact(path, entry))
        if path.exists() and not ours:
            raise UsageError(
                f"{path} was not made by convertkit and would be replaced", hint="choose another --output"
            )


def _lay_out(output: Path, source: Path, manifest: Manifest, beside: Mapping[str, bytes]) -> None:
    clean_leftovers(output)
    _move_in(output)
    _refuse_foreign(output, manifest, _previous_files(output))
    with atomic_directory(output / READY) as filling:
        for name, entry in manifest.files.items():
            if is_intact(output / name, entry):
                continue
            if name in beside:
                (filling / name).write_bytes(beside[name])
            else:
                # no link: the store's is not the user's to damage
                shutil.copyfile(source / name, filling / name)
        (filling / NAME).write_bytes(manifest.encode())
    _move_in(output)


def _move_in(output: Path) -> None:
    """Every step may be the last of a killed process: the next one does what is left, down to the manifest."""
    ready = output / READY
    if ready.is_symlink() or not ready.is_dir():
        return
    if (ready / NAME).exists():
        files = read_manifest(ready / NAME).files
        for name in files:
            if (ready / name).exists():
                (ready / name).replace(output / name)
        for name in _previous_files(output) - set(files):
            (output / name).unlink(missing_ok=True)
        (ready / NAME).replace(output / NAME)
    ready.rmdir()


def _previous_files(output: Path) -> set[str]:
    try:
        return set(read_manifest(output / NAME).files)
    except SpecError:
        return set()


def _refuse_foreign(output: Path, manifest: Manifest, previous: set[str]) -> None:
    """Files of the right content are ours: their manifest is not there yet (a killed build) or was damaged."""
    foreign = (output / NAME).is_file() and not previous
    if foreign and not all(is_intact(output / name, entry) for name, entry in manifest.files.items()):
        raise UsageError(
            f"{output / NAME} is there but is no manifest of convertkit",
            hint="remove it, or choose another --output",
        )
    refuse_foreign(output, manifest.files, manifest)
