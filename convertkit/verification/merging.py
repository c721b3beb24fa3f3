"""Shards put together: the same files, figures and intervals as one run over all photos would have given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from convertkit.conversion.events import Note, Report, silent
from convertkit.datasets.annotations import AnnotationFile, Id, Image, examine_annotations
from convertkit.datasets.coco import CocoDataset, CocoImage
from convertkit.datasets.faults import refuse
from convertkit.datasets.subset import listed, made
from convertkit.errors import SpecError, UsageError
from convertkit.rungs.journal import Journals
from convertkit.rungs.rung import Course, Ran, score
from convertkit.rungs.terms import Terms
from convertkit.storage.files import atomic_write, sha256_file, work_directory
from convertkit.storage.reading import open_regular
from convertkit.storage.urls import Where, where
from convertkit.verification.conclusion import Told, Verification, conclude
from convertkit.verification.sealed import NAME, ShardRecord, read_record, seal
from convertkit.verification.shards import WHOLE

Shards: TypeAlias = Mapping[Path, ShardRecord]
"""Records by directory, in the order of their numbers."""


class _Row(Struct, frozen=True):
    image_id: Id


def merge(
    directories: Sequence[Path],
    *,
    annotations: Where | None = None,
    images: Where | None = None,
    results: Path | None = None,
    report: Report = silent,
    told: Told = lambda found, dataset, results: None,
) -> Verification:
    """Concludes from all shards of one verification; neither photos nor the model are needed.

    Args:
        directories: of shards, or with shards in them.
        annotations: the instances file, where it is not at the place that the shards name.
        images: directory of the photos, for whoever is told and looks at them.
        results: directory to keep the detections of all photos in.
        told: of the whole.

    Raises:
        UsageError: a shard is missing or there twice, or the shards are not of one verification.
        SpecError: a record or a file of detections is damaged.
    """
    shards = find_shards(directories)
    _refuse_strangers(shards)
    first = next(iter(shards.values()))
    with contextlib.ExitStack() as stack:
        directory = results or stack.enter_context(work_directory("merge"))
        file = _annotations(first, annotations)
        photos = _listed(first.terms, file)
        dataset = _dataset(photos, shards, file, images)
        course = Course(first.terms, dataset, directory, Journals(directory))
        dataset.refuse_nothing_to_find()
        notes = course.notes()
        for line in notes:
            report(Note(line))
        rungs, ran = [*first.known], list[Ran]()
        for index, rung in enumerate(first.rungs):
            failure = next(
                (one.rungs[index].failure for one in shards.values() if one.rungs[index].failure), ""
            )
            if not failure:
                atomic_write(course.path(rung.name), _joined(shards, index, dataset, photos), sync=False)
            ran.append(Ran(rung.name, rung.key, failure=failure))
            rungs.append(score(course, ran[-1]))
        found = conclude(course, rungs, notes=notes, whole=True)
        if results is not None:
            seal(course, WHOLE, ran, first.known)
        told(found, dataset, directory)
        return found


def find_shards(directories: Sequence[Path]) -> Shards:
    """The shards in directories, each its own or one that holds several; all of one number, each once.

    Raises:
        UsageError: there is none, one is missing, or one is there twice.
    """
    found: dict[Path, ShardRecord] = {}
    for directory in dict.fromkeys(directories):
        inside = sorted(directory.glob(f"*/{NAME}"))
        own = [directory / NAME] if (directory / NAME).is_file() else []
        if own and inside:
            raise UsageError(
                f"{own[0]} is of a whole run, and {inside[0]} of a shard in it: which one is meant?",
                hint="remove what is older, or give the shards' directories one by one",
            )
        paths = own or inside
        if not paths:
            raise UsageError(
                f"{directory}: no shard that is finished in it",
                hint="give what --results of verify --shard was given",
            )
        found |= {path.parent: read_record(path) for path in paths}
    counts = {record.count: place for place, record in found.items()}
    if len(counts) > 1:
        (one, place), (other, second) = list(counts.items())[:2]
        raise UsageError(f"{place} is one of {one} shards, {second} one of {other}")
    by_number: dict[int, Path] = {}
    for place, record in found.items():
        if (twin := by_number.setdefault(record.number, place)) != place:
            raise UsageError(f"shard {record.shard} is there twice: {twin} and {place}")
    count = next(iter(counts))
    missing = [f"{number}/{count}" for number in range(1, count + 1) if number not in by_number]
    if missing:
        verb = "shards {} are missing" if len(missing) > 1 else "shard {} is missing"
        raise UsageError(verb.format(", ".join(missing)), hint="run verify --shard for it, then merge all")
    return {by_number[number]: found[by_number[number]] for number in sorted(by_number)}


def _refuse_strangers(shards: Shards) -> None:
    """All must be of one verification: the same terms, annotations, rungs, and what these were measured with."""
    first, *others = shards.values()
    for other in others:
        pair = f"shards {first.shard} and {other.shard} differ in"
        for name in first.terms.__struct_fields__:
            if getattr(first.terms, name) != getattr(other.terms, name):
                raise UsageError(f"{pair} their {name}", hint="measure them with the same options")
        if first.annotations_sha256 != other.annotations_sha256:
            raise UsageError(f"{pair} their annotations: {first.annotations}, {other.annotations}")
        if first.known != other.known:
            raise UsageError(f"{pair} the recorded figures", hint="give --ladder to both or to none")
        names = [", ".join(rung.name for rung in one.rungs) for one in (first, other)]
        if names[0] != names[1]:
            raise UsageError(f"{pair} their rungs: {names[0]}; {names[1]}")
        for one, two in zip(first.rungs, other.rungs, strict=True):
            if one.key != two.key and not (one.failure or two.failure):
                raise UsageError(
                    f"rung {one.name}: {pair} the model, settings or versions it was measured with",
                    hint="build once, and give all machines the same artifact and the same convertkit",
                )


def _annotations(first: ShardRecord, given: Where | None) -> AnnotationFile:
    path = given or where(first.annotations)
    if not path.is_file():
        raise UsageError(f"{path}: no such file of annotations", hint="give --annotations")
    if sha256_file(path) != first.annotations_sha256:
        raise UsageError(f"{path}: not the annotations that the shards were measured on")
    found, faults = examine_annotations(path)
    refuse(path, faults)
    return found


def _listed(terms: Terms, found: AnnotationFile) -> list[Image]:
    """The photos of all shards, in their order."""
    if made(found, terms.subset) != terms.subset:
        raise SpecError("this convertkit makes another choice of photos than the shards were measured on")
    return [image for _, image in listed(found, terms.limit, terms.subset)]


def _dataset(
    photos: Sequence[Image], shards: Shards, found: AnnotationFile, directory: Where | None
) -> CocoDataset:
    reasons = {number: why for record in shards.values() for number, why in record.bad.items()}
    bad = {image.id: reasons[image.id] for image in photos if image.id in reasons}
    images = tuple(
        CocoImage(image.id, (directory or Path()) / image.file_name, image.height, image.width)
        for image in photos
        if image.id not in bad
    )
    measured = sum(record.photos for record in shards.values())
    if measured != len(images):
        raise SpecError(f"the shards have {measured} photos, their annotations {len(images)}")
    return CocoDataset(found, images, bad)


def _joined(shards: Shards, index: int, dataset: CocoDataset, photos: Sequence[Image]) -> Iterator[bytes]:
    """The lines of a rung's detections in the order of the photos; memory holds those of one photo for each shard."""
    cursors = [_Cursor(place, record, index) for place, record in shards.items()]
    owners = {image.id: number % len(cursors) for number, image in enumerate(photos)}
    with contextlib.ExitStack() as stack:
        for cursor in cursors:
            stack.enter_context(cursor)
        for image in dataset.images:
            yield from cursors[owners[image.id]].of(image.id)
        for cursor in cursors:
            cursor.refuse_rest()


class _Cursor:
    """A place in one shard's file of detections, which is what its record says."""

    def __init__(self, place: Path, record: ShardRecord, index: int) -> None:
        rung = record.rungs[index]
        self._path = place / f"{rung.name}.jsonl"
        if not self._path.is_file() or sha256_file(self._path) != rung.sha256:
            raise SpecError(f"{self._path}: not the detections that shard {record.shard} has measured")
        self._decoder = msgspec.json.Decoder(_Row)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> _Cursor:
        self._stream = self._stack.enter_context(open_regular(self._path, SpecError))
        self._line = self._stream.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, image_id: int) -> Iterator[bytes]:
        """The lines of an image, which come next if there are any."""
        while self._line and self._decoder.decode(self._line).image_id == image_id:
            yield self._line
            self._line = self._stream.readline()

    def refuse_rest(self) -> None:
        """Raises where there is more than was asked for."""
        if self._line:
            raise SpecError(f"{self._path}: detections of photos that are not in the shard")
