"""Photos to files: each one read, preprocessed and written by one of several threads, and never twice.

OpenCV, hashing and writing let the other threads work, so threads are enough. Whatever is interrupted is
continued: finished photos are in the journal, and the record appears when all of them are done.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from convertkit.children.process import usable_processors
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.errors import ConvertkitError, SpecError, UnavailableError, UsageError
from convertkit.offline import arrays
from convertkit.offline.interface import check_inputs
from convertkit.offline.job import Job, key_of, record_of
from convertkit.offline.journal import Done, Journal, boot, refuse_foreign, state
from convertkit.offline.photos import Photo
from convertkit.offline.prepared import NAME, Prepared, PreparedPhoto, directory_of
from convertkit.storage.files import clean_leftovers, locked_directory, megabytes

HEADER = 128
"""Bytes of an ``.npy`` header, for the estimate of the space that is needed."""


@dataclass(frozen=True)
class Outcome:
    """What was done: the record, how many photos were made now, and files that lie there but are not of this run."""

    record: Prepared
    made: int
    extra: tuple[Path, ...]


def prepare(
    job: Job,
    output: Path,
    *,
    jobs: int | None = None,
    on_progress: Callable[[int], object] = lambda count: None,
) -> Outcome:
    """Writes ``<stem>.bin`` (or ``.npy``) for every photo, and the record beside them.

    Args:
        output: an empty directory, or one that an earlier call filled.
        jobs: threads; by default one per usable processor.
        on_progress: told the number of finished photos.

    Raises:
        UsageError: the directory holds something else, or a photo cannot be read.
        UnavailableError: the files do not fit on the disk.
        GraphError: preprocessing does not give what the graph takes.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs {jobs} does nothing", hint="give 1 or more")
    refuse_foreign(output, NAME)
    output.mkdir(parents=True, exist_ok=True)
    with locked_directory(output):
        work = _Work(job, output)
        _refuse_full_disk(work, output)
        # first of all: it says to the next run that all else is ours
        with Journal(output, work.key) as journal:
            work.journal = journal
            work.make_directories()
            threads = jobs or usable_processors()
            photos = _run(work, threads, on_progress)
        record = record_of(job, photos)
        record.write(output)
        return Outcome(record, work.made, work.extra(output))


class _Work:
    """One photo at a time; every method may run in any thread."""

    def __init__(self, job: Job, output: Path) -> None:
        names = [tensor.name for tensor in job.inputs]
        self.job = job
        self.directories = {name: directory_of(output, name, names) for name in names}
        if len(set(self.directories.values())) < len(names):
            raise SpecError(f"inputs {', '.join(names)}: two of them have the same directory")
        self.key, self.record = key_of(job), output / NAME
        self.journal: Journal | None = None
        self.made = 0

    def make_directories(self) -> None:
        for directory in self.directories.values():
            directory.mkdir(exist_ok=True)
            clean_leftovers(directory)

    def paths(self, stem: str) -> dict[str, Path]:
        return {name: place / f"{stem}.{self.job.suffix}" for name, place in self.directories.items()}

    def do(self, photo: Photo) -> tuple[Done, bool]:
        """The journal's entry of a photo, and whether anything was made."""
        try:
            source = photo_bytes(photo.path)
            paths = self.paths(photo.stem)
            assert self.journal is not None
            known = self.journal.intact(photo.stem, hashlib.sha256(source).hexdigest(), paths)
            return (known, False) if known else (self._make(photo, source, paths), True)
        except ConvertkitError as error:
            error.about(photo.name)
            raise

    def _make(self, photo: Photo, source: bytes, paths: dict[str, Path]) -> Done:
        job = self.job
        self.record.unlink(missing_ok=True)  # it would speak of files that are no longer there
        pixels = decode(photo.path, source, photo.size)
        given, placement = job.package.model.preprocess(pixels, job.variant.spec.size, job.preprocess)
        made = check_inputs(given, job.inputs)
        files = {name: state(path, arrays.write(path, made[name])) for name, path in paths.items()}
        return Done(boot(), self.key, photo.stem, hashlib.sha256(source).hexdigest(), files, placement)

    def extra(self, output: Path) -> tuple[Path, ...]:
        """Files that a tool which takes a whole directory would take for inputs, but are not of this run.

        Looked for where the inputs are, and where those of an earlier run with other inputs may be.
        """
        stems = [photo.stem for photo in self.job.photos]
        own = {path for stem in stems for path in self.paths(stem).values()}
        places = {output, *self.directories.values()}
        for place in output.iterdir():
            if any((place / f"{stem}.{suffix}").is_file() for stem in stems[:1] for suffix in arrays.FORMATS):
                places.add(place)
        files = (path for place in places for path in place.iterdir())
        return tuple(
            sorted(path for path in files if path.suffix.lower() in (".bin", ".npy") and path not in own)
        )


def _run(work: _Work, threads: int, on_progress: Callable[[int], object]) -> list[PreparedPhoto]:
    photos: list[PreparedPhoto] = []
    assert work.journal is not None
    for photo, (done, made) in _in_order(work, threads):
        work.journal.add(done)
        work.made += made
        hashes = {name: file.sha256 for name, file in done.files.items()}
        photos.append(PreparedPhoto(photo.stem, photo.name, done.placement, hashes, photo.id))
        on_progress(len(photos))
    return photos


def _in_order(work: _Work, threads: int) -> Iterator[tuple[Photo, tuple[Done, bool]]]:
    """Photos with their results, in order; at most two per thread are under way."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="convertkit-prepare")
    waiting: deque[tuple[Photo, Future[tuple[Done, bool]]]] = deque()
    try:
        photos = iter(work.job.photos)
        for photo in itertools.islice(photos, 2 * threads):
            waiting.append((photo, pool.submit(work.do, photo)))
        while waiting:
            photo, future = waiting.popleft()
            yield photo, future.result()
            for following in itertools.islice(photos, 1):
                waiting.append((following, pool.submit(work.do, following)))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _refuse_full_disk(work: _Work, output: Path) -> None:
    """Says before the work, not after half of it, that the files do not fit."""
    each = sum(tensor.bytes + HEADER for tensor in work.job.inputs)
    count = len(work.job.photos)
    present = sum(
        path.stat().st_size
        for directory in work.directories.values()
        for path in directory.glob(f"*.{work.job.suffix}")
    )
    needed, free = each * count - present, shutil.disk_usage(output).free
    if needed > free:
        raise UnavailableError(
            f"--output {output}: {count} photos take {megabytes(needed)} more, {megabytes(free)} are free",
            hint="choose another disk, or fewer photos with --limit",
        )
