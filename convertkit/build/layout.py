"""The artifact directory: laid out file by file, the manifest last, so that it is whole or recognisably not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from convertkit.build.manifest import NAME, FileEntry, Manifest, is_untouched, read_manifest
from convertkit.errors import SpecError, UsageError
from convertkit.files import CHUNK, atomic_write, clean_leftovers, locked_directory, sha256_file


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


def lay_out(output: Path, source: Path, manifest: Manifest) -> None:
    """Brings ``output`` to exactly the manifest's files; other files there are not touched.

    Raises:
        UsageError: a file of the artifact would replace one that convertkit did not make, or the place cannot
            be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with locked_directory(output):
            _lay_out(output, source, manifest)
    except OSError as error:
        raise UsageError(
            f"{error.filename or output}: cannot be written: {error.strerror or error}",
            hint="check the place and its free space",
        ) from error


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


def _lay_out(output: Path, source: Path, manifest: Manifest) -> None:
    clean_leftovers(output)
    previous = _previous_files(output)
    _refuse_foreign(output, manifest, previous)
    for name, entry in manifest.files.items():
        if not is_intact(output / name, entry):
            _place(source / name, output / name)
    atomic_write(output / NAME, manifest.encode())
    for name in previous - set(manifest.files):
        (output / name).unlink(missing_ok=True)


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


def _place(source: Path, target: Path) -> None:
    """Copies: the store's own is never the user's to damage."""
    with source.open("rb") as stream:
        atomic_write(target, iter(lambda: stream.read(CHUNK), b""))
