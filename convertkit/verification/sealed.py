"""What a shard leaves: detections by rung, and a record of what they are of, written last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from convertkit.errors import SpecError, UsageError
from convertkit.rungs.rung import Course, Ran, Rung
from convertkit.rungs.terms import Terms
from convertkit.storage.files import atomic_write, sha256_file
from convertkit.storage.reading import read_json
from convertkit.storage.urls import Where
from convertkit.verification.shards import Shard

if TYPE_CHECKING:
    from convertkit.datasets.coco import CocoDataset

NAME = "shard.json"
FORMAT = 1
MOST_BYTES = 1 << 30


class ShardRung(Struct, frozen=True, forbid_unknown_fields=True):
    """A rung of a shard.

    Attributes:
        key: what it was measured with, as :func:`convertkit.rungs.keys.rung_key` has it.
        sha256: of its file of detections.
        failure: what went wrong; there is no file then.
    """

    name: str
    key: str
    sha256: str = ""
    failure: str = ""


class ShardRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """``shard.json``.

    Attributes:
        number, count: which part of the photos it is, from 1, and of how many.
        terms: what the figures are judged by.
        known: recorded figures that stand beside those that are measured.
        annotations: the COCO instances file; ``annotations_sha256`` counts, the path is where it lay.
        photos: how many were measured.
        bad: why a photo was left out, by its id.
    """

    format: int
    number: int
    count: int
    terms: Terms
    known: tuple[Rung, ...]
    annotations: str
    annotations_sha256: str
    photos: int
    bad: dict[int, str]
    rungs: tuple[ShardRung, ...]

    @property
    def shard(self) -> Shard:
        return Shard(self.number, self.count)


def place_of(shard: Shard, results: Where | None, *, until_decided: bool) -> Where:
    """Where a shard's results go.

    Raises:
        UsageError: nobody said where, or it should decide, which a part cannot.
    """
    if until_decided:
        raise UsageError(f"shard {shard} alone decides nothing", hint="leave --until-decided or --shard out")
    if results is None:
        hint = "convertkit merge reads it; --shard 1/1 takes all photos"
        raise UsageError(f"shard {shard} needs --results DIRECTORY", hint=hint)
    return results / shard.directory


def seal(course: Course, shard: Shard, ran: Sequence[Ran], known: Sequence[Rung]) -> ShardRecord:
    """Writes the record beside the detections, whose files are whole."""
    dataset: CocoDataset = course.dataset
    rungs = [
        ShardRung(
            one.name, one.key, "" if one.failure else sha256_file(course.path(one.name)), failure=one.failure
        )
        for one in ran
    ]
    path = dataset.found.path
    record = ShardRecord(
        format=FORMAT,
        number=shard.number,
        count=shard.count,
        terms=course.terms,
        known=tuple(known),
        annotations=str(path.resolve()),
        annotations_sha256=sha256_file(path),
        photos=len(dataset.images),
        bad=dict(dataset.bad),
        rungs=tuple(rungs),
    )
    atomic_write(course.results / NAME, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    return record


def read_record(path: Path) -> ShardRecord:
    """A shard's record; SpecError where it is none, or of a format that this convertkit does not know."""
    record = read_json(path, ShardRecord, "a record of a shard", most=MOST_BYTES, error=SpecError)
    if record.format != FORMAT or not 1 <= record.number <= record.count or not record.rungs:
        raise SpecError(f"{path}: not a record of a shard that this convertkit knows")
    return record
