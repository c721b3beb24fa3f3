"""What a rung has found so far, photo by photo: a run that was cut off goes on where it was.

A journal belongs to a key (:mod:`convertkit.rungs.keys`): everything that decides what is found in a photo. A
record belongs to the bytes of a photo. So neither a name, nor a limit, nor the order of the photos makes a wrong one
believed or a right one lost. Once the verification has its figures the journals go: the next one measures anew.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from msgspec import Struct

from convertkit.conversion.events import Note, Report, silent
from convertkit.detection.types import RLE, Detections
from convertkit.errors import StoreError
from convertkit.scoring.results import Mask, plain_mask
from convertkit.storage.files import FileLock
from convertkit.storage.journal import Appender, lines_of, record_in

SUFFIX = ".jsonl"


class Found(Struct, frozen=True, omit_defaults=True):
    """What is in one photo: :class:`~convertkit.detection.types.Detections`, to the bit.

    ``photo`` is the sha256 of its file. ``boxes`` and ``scores`` are little-endian float32, ``labels`` int64, each in
    base64 as msgspec writes bytes.
    """

    photo: str
    boxes: bytes
    scores: bytes
    labels: bytes
    masks: tuple[Mask, ...] | None = None

    @classmethod
    def of(cls, photo: str, found: Detections) -> Found:
        masks = None if found.masks is None else tuple(map(plain_mask, found.masks))
        boxes, scores = found.boxes.astype("<f4").tobytes(), found.scores.astype("<f4").tobytes()
        return cls(photo, boxes, scores, found.labels.astype("<i8").tobytes(), masks)

    def detections(self) -> Detections:
        """The way back."""
        masks = None if self.masks is None else tuple(map(_rle, self.masks))
        boxes, scores = (np.frombuffer(data, "<f4").astype(np.float32) for data in (self.boxes, self.scores))
        labels = np.frombuffer(self.labels, "<i8").astype(np.int64)
        return Detections(boxes.reshape(-1, 4), scores, labels, masks)


class Journal:
    """One rung's, open for reading and appending; memory holds the place of each record, not the record.

    Attributes:
        damaged: the number of each line that is not what was written, from 1; its photo is unknown.
    """

    def __init__(self, path: Path, appender: Appender, reader: BinaryIO) -> None:
        self.path, self._appender, self._reader = path, appender, reader
        self._places: dict[str, int] = {}
        self.damaged: list[int] = []
        decoder = msgspec.json.Decoder(Found)
        for number, (place, line) in enumerate(lines_of(path), 1):
            try:
                self._places[decoder.decode(record_in(line) or b"").photo] = place
            except (msgspec.MsgspecError, UnicodeDecodeError):
                self.damaged.append(number)

    def __contains__(self, photo: str) -> bool:
        return photo in self._places

    def add(self, photo: str, found: Detections) -> None:
        """Keeps what was found in a photo, by the sha256 of its file; StoreError where the disk is full or gone."""
        self._places[photo] = self._appender.add(msgspec.json.encode(Found.of(photo, found)))

    def find(self, photo: str) -> Detections:
        """What was kept of a photo that is ``in`` the journal.

        Raises:
            StoreError: its record was damaged meanwhile.
        """
        self._reader.seek(self._places[photo])
        record = record_in(self._reader.readline())
        if record is None:
            raise StoreError(f"{self.path}: a record was damaged while it was in use")
        return msgspec.json.decode(record, type=Found).detections()


@dataclass(frozen=True)
class Journals:
    """Those of one verification.

    Attributes:
        root: where they lie, ``<key>.jsonl`` each.
        report: told in one line what is known already, and what is damaged.
        opened: the keys that were open, in their order.
    """

    root: Path
    report: Report = silent
    opened: dict[str, None] = field(default_factory=dict)

    @contextlib.contextmanager
    def open(self, key: str, rung: str, photos: Sequence[str]) -> Iterator[Journal]:
        """The journal of a key, held against other runs that would measure the same; without one, a new one.

        Args:
            rung, photos: for the line that says how many of these photos are known.
        """
        name = key or f"once-{secrets.token_hex(8)}"
        first = name not in self.opened
        self.opened[name] = None
        waiting: Callable[[str], None] = lambda who: self.report(Note(f"rung {rung}: {who}, who measures it"))  # noqa: E731
        path = self._path(name)
        with FileLock(path.with_suffix(".lock"), on_wait=waiting), Appender(path) as appender:
            with path.open("rb") as reader:
                journal = Journal(path, appender, reader)
                if first:
                    self._tell(journal, rung, photos)
                yield journal
            if not key:
                path.unlink()

    def discard(self) -> None:
        """Removes the journals that were open: their figures are there."""
        for name in self.opened:
            self._path(name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.root.rmdir()

    def _path(self, name: str) -> Path:
        return self.root / f"{name}{SUFFIX}"

    def _tell(self, journal: Journal, rung: str, photos: Sequence[str]) -> None:
        for number in journal.damaged:
            line = f"line {number} is damaged, and its photo is run again"
            self.report(Note(f"rung {rung}: {journal.path}: {line}"))
        known = sum(photo in journal for photo in photos)
        if known:
            self.report(Note(f"rung {rung}: going on with {known} of {len(photos)} photos ({journal.path})"))


def _rle(mask: Mask) -> RLE:
    return {"size": list(mask.size), "counts": mask.counts}
