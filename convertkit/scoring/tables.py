"""From hotcoco's records to tables: the matches of all photos, and COCO's twelve numbers by the sums of pycocotools.

Both need of a photo only which detections match by which IoU, so photos are evaluated part by part, and what became of
their detections is put down by size range and category; memory holds one of these at a time.
"""

from __future__ import annotations

import contextlib
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.scoring.matches import (
    AREAS,
    IOUS,
    RECALLS,
    Bits,
    Curve,
    Flags,
    Floats,
    Matches,
    packed,
    unpacked,
)
from convertkit.scoring.parts import Part, Parts
from convertkit.storage.shelf import Shelf

Row = NDArray[np.void]
Group = tuple[str, int]
"""Size range, by its metric, and id of the category."""

ROW = np.dtype(
    [("photo", "i4"), ("score", "f8"), ("rank", "u1"), ("matched", "u2"), ("ignored", "u2")], align=False
)
"""A detection: its photo, its rank among those of its category there, and by which IoUs it matches or is ignored."""

MOST = (1, 10, 100)
"""Detections of a category in a photo that count, for COCO's three kinds of recall."""


class Tables:
    """What became of every detection of one task.

    Attributes:
        matches: what resampling needs.
        numbers: COCO's twelve, in their order, each 0..1, or -1 where there is nothing to find.
        per_class: AP by category, in their order, or -1.
    """

    def __init__(self, parts: Parts, task: str, categories: Mapping[int, str]) -> None:
        """``categories``: names by id, in the order of the evaluation."""
        rows, objects = _put_down(parts, task)
        count = len(categories)
        precision = {area: np.full((10, len(RECALLS), count), -1.0) for area in AREAS}
        recall = {(area, most): np.full((10, count), -1.0) for area in AREAS for most in MOST}
        self.matches = Matches(len(parts.ids), tuple(categories.values()), Shelf())
        for area in AREAS:
            for index, category in enumerate(categories):
                own = np.frombuffer(rows.of((area, category)), ROW)
                there = np.frombuffer(objects.of((area, category)), np.int32)
                self.matches.put(area, index, _curve(own, there))
                for most in MOST if len(there) else ():
                    _, hits, misses = _ranked(own[own["rank"] < most])
                    found = _sums(hits, misses, len(there))
                    recall[area, most][:, index], precision[area][:, :, index] = found  # the last of 100
        self.numbers, self.per_class = _official(precision, recall)


def _put_down(parts: Iterable[Part], task: str) -> tuple[Shelf[Group], Shelf[Group]]:
    """Rows, and the photos of objects to be found, by group; photos by their number in all."""
    rows, objects, start = Shelf[Group](), Shelf[Group](), 0
    for part in parts:
        places = {image: index for index, image in enumerate(part.ids, start)}
        start += len(part.ids)
        with _uncollected():
            for group, records in _records(part, task).items():
                there = np.array([places[record["image_id"]] for record in records], np.int32)
                counts = [sum(record["gtInDenominator"]) for record in records]
                rows.add(group, _rows(records, there).tobytes())
                objects.add(group, np.repeat(there, counts).tobytes())
    return rows, objects


def _records(part: Part, task: str) -> dict[Group, list[Any]]:
    """hotcoco's of each photo, by group."""
    evaluation = part.evaluation(task)
    evaluation.evaluate()
    areas = {tuple(area): name for area, name in zip(evaluation.params.area_rng, AREAS, strict=True)}
    groups: dict[Group, list[Any]] = defaultdict(list)
    for record in evaluation.eval_imgs:
        if record is not None:
            groups[areas[tuple(record["aRng"])], record["category_id"]].append(record)
    return groups


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Records are so many lists that looking for cycles among them takes four times as long as making them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _rows(records: Sequence[Any], places: NDArray[np.int32]) -> Row:
    scores = [record["dtScores"] for record in records]
    counts = [len(one) for one in scores]
    found = np.empty(sum(counts), ROW)
    found["photo"] = np.repeat(places, counts)
    found["score"] = np.concatenate(scores)
    found["rank"] = np.concatenate([np.arange(count) for count in counts])
    for name, key in (("matched", "dtMatched"), ("ignored", "dtIgnore")):
        tables = [np.asarray(record[key], np.bool_).reshape(len(IOUS), -1) for record in records]
        found[name] = packed(np.concatenate(tables, axis=1))
    return found


def _ranked(rows: Row) -> tuple[Row, Bits, Bits]:
    """Stable by score, photos in their order, as pycocotools sorts; with hits and misses."""
    rows = rows[np.argsort(-rows["score"], kind="mergesort")]
    counts = ~rows["ignored"]
    return rows, rows["matched"] & counts, ~rows["matched"] & counts


def _curve(rows: Row, objects: NDArray[np.int32]) -> Curve:
    """Nothing counts behind the last hit."""
    rows, hits, misses = _ranked(rows)
    end = int(np.flatnonzero(hits).max(initial=-1)) + 1
    return Curve(rows["photo"][:end], unpacked(hits[:end]), unpacked(misses[:end]), objects)


def _sums(hits: Bits, misses: Bits, positives: int) -> tuple[Floats, Floats]:
    """Recall ``(10,)`` and precision ``(10, 101)``, with pycocotools' ``accumulate`` to the last bit."""
    recalls, precisions = np.zeros(len(IOUS)), np.zeros((len(IOUS), len(RECALLS)))
    for row in range(len(IOUS)):
        right, wrong = (np.cumsum(_bit(table, row)).astype(np.float64) for table in (hits, misses))
        recall, precision = right / positives, right / (wrong + right + np.spacing(1))
        best = np.maximum.accumulate(precision[::-1])[::-1]
        recalls[row] = recall[-1] if recall.size else 0
        precisions[row] = np.append(best, 0)[np.searchsorted(recall, RECALLS, side="left")]
    return recalls, precisions


def _bit(table: Bits, row: int) -> Flags:
    return np.asarray((table >> row) & 1, np.bool_)


def _official(
    precision: Mapping[str, Floats], recall: Mapping[tuple[str, int], Floats]
) -> tuple[list[float], list[float]]:
    whole = precision["AP"]
    tables = [whole, whole[:1], whole[5:6], *(precision[area] for area in AREAS[1:])]
    tables += [recall["AP", most] for most in MOST] + [recall[area, MOST[-1]] for area in AREAS[1:]]
    return list(map(known_mean, tables)), [known_mean(whole[:, :, index]) for index in range(whole.shape[2])]


def known_mean(values: Floats) -> float:
    """The mean of what is known; summed in the order of pycocotools, which decides the last bit."""
    known = values[values > -1]
    return float(known.mean()) if known.size else -1.0
