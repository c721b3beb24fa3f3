"""What became of every detection, photo by photo: all that AP needs to know of a photo, whatever is resampled.

COCO's matching looks at one photo at a time, so a sample of photos needs no matching of its own: AP is a sum over the
photos' detections in the order of their scores, each as often as its photo was drawn. A photo drawn twice counts like
two photos with equal scores side by side, which is what pycocotools makes of a dataset that holds it twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int32]
Flags = NDArray[np.bool_]

AREAS = ("AP", "APs", "APm", "APl")
"""The metric of each of COCO's size ranges, in the order of its parameters; AP50 and AP75 are rows of the first."""

_IOUS = {"AP50": 0, "AP75": 5}
METRICS = ("AP", *_IOUS, *AREAS[1:])
"""COCO's six kinds of average precision."""

_RECALLS = np.append(np.linspace(0, 1, 101), np.inf)
_BLOCK = 1 << 20
"""Elements worked on at once: 8 MB of float64, so memory does not grow with the number of samples."""

_PHOTOS = 256
"""Photos whose records are held at once: hotcoco gives objects of Python, 0.5 MB a photo with 67 detections."""


@dataclass(frozen=True)
class Curve:
    """The detections of one category in one size range, the best score first.

    Attributes:
        photos: ``(D,) int32``: the index of each detection's photo.
        hits: ``(10, D) bool``: whether it matches an object, by IoU 0.50, 0.55 ... 0.95.
        misses: ``(10, D) bool``: whether it is wrong; neither is one that COCO ignores.
        objects: ``(G,) int32``: the index of the photo of every object to be found.
    """

    photos: Whole
    hits: Flags
    misses: Flags
    objects: Whole

    def average(self, drawn: Whole) -> Floats:
        """``(R, 10)``: average precision by sample and IoU, 0..1; NaN where a sample has nothing to find.

        Args:
            drawn: ``(R, N) int32``: how often each sample holds each photo.
        """
        positives = np.take(drawn, self.objects, axis=1).sum(axis=1)
        found = np.zeros((len(drawn), len(self.hits)))
        rows = max(1, _BLOCK // max(1, len(self.photos)))
        for start in range(0, len(drawn) if self.hits.any() else 0, rows):
            part = slice(start, start + rows)
            found[part] = self._block(drawn[part], positives[part])
        found[positives == 0] = np.nan
        return found

    def _block(self, drawn: Whole, positives: Whole) -> Floats:
        """A running sum over detections that count at every IoU, and one per IoU over the few that do not."""
        weights = np.take(drawn, self.photos, axis=1)
        counted = self.hits | self.misses
        always = counted.all(axis=0)
        common = _sums(weights[:, always])
        before = np.cumsum(always)
        found = np.empty((len(drawn), len(self.hits)))
        for row, (hits, counts) in enumerate(zip(self.hits, counted, strict=True)):
            places = np.flatnonzero(hits)
            rest = counts & ~always
            seen = np.take(common, before[places], axis=1)
            if rest.any():
                seen = seen + np.take(_sums(weights[:, rest]), np.cumsum(rest)[places], axis=1)
            found[:, row] = _average(np.cumsum(weights[:, places], axis=1), seen, positives)
        return found


@dataclass(frozen=True)
class Matches:
    """The matches of a rung on ``photos`` photos: by metric of :data:`AREAS`, then by category.

    ``categories`` holds the names, as in ``Metrics.per_class``.
    """

    photos: int
    categories: tuple[str, ...]
    curves: Mapping[str, tuple[Curve, ...]]

    def resampled(self, drawn: Whole, metrics: Sequence[str] = ()) -> dict[str, Floats]:
        """Metric to ``(R,)``: its value on each sample, NaN where that has nothing to find.

        Args:
            drawn: ``(R, photos) int32``: how often each sample holds each photo.
            metrics: of ``AP AP50 AP75 APs APm APl`` and ``AP CATEGORY``; all by default.
        """
        wanted = metrics or (*METRICS, *(f"AP {name}" for name in self.categories))
        found = dict(self._every(drawn, set(wanted)))
        return {name: found[name] for name in wanted}

    def holding(self, photos: Whole | None = None) -> dict[str, int]:
        """How many photos have an object of a category, by ``AP CATEGORY``.

        Args:
            photos: ``(photos,) int32``: how often each is there; once by default.
        """
        there = np.ones(self.photos, np.int32) if photos is None else photos
        return {
            f"AP {name}": int(there[np.unique(curve.objects)].sum())
            for name, curve in zip(self.categories, self.curves["AP"], strict=True)
        }

    def _every(self, drawn: Whole, wanted: set[str]) -> Iterator[tuple[str, Floats]]:
        for area, curves in self.curves.items():
            if area != "AP" and area not in wanted:
                continue
            averages = np.stack([curve.average(drawn) for curve in curves])
            yield area, _mean(averages, (0, 2))
            if area == "AP":
                yield from ((name, _mean(averages[:, :, row], 0)) for name, row in _IOUS.items())
                yield from zip((f"AP {name}" for name in self.categories), _mean(averages, 2), strict=True)


def matches_of(evaluation: Any, image_ids: Sequence[int], categories: Mapping[int, str]) -> Matches:
    """The matches of a hotcoco evaluation that has run; it runs again, by so many photos that its records fit.

    Args:
        image_ids: all that were evaluated, in its order. ``categories``: names by id, in its order.
    """
    parts: dict[tuple[str, int], list[_Part]] = {
        (area, category): [] for area in AREAS for category in categories
    }
    areas = {tuple(area): name for area, name in zip(evaluation.params.area_rng, AREAS, strict=True)}
    for start in range(0, len(image_ids), _PHOTOS):
        photos = {image: index for index, image in enumerate(image_ids[start : start + _PHOTOS], start)}
        evaluation.params.img_ids = [*photos]
        evaluation.evaluate()
        groups: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for record in evaluation.eval_imgs:
            if record is not None:
                groups[areas[tuple(record["aRng"])], record["category_id"]].append(record)
        for group, records in groups.items():
            parts[group].append(_Part.of(records, photos))
    evaluation.params.img_ids = [*image_ids]
    curves = {area: tuple(_curve(parts[area, category]) for category in categories) for area in AREAS}
    return Matches(len(image_ids), tuple(categories.values()), curves)


@dataclass(frozen=True)
class _Part:
    """Detections, ``(D,)``, and objects, ``(G,)``, of one category and size in some photos, photo by photo."""

    photos: Whole
    scores: Floats
    matched: Flags
    ignored: Flags
    objects: Whole

    @classmethod
    def of(cls, records: Sequence[Any], photos: Mapping[int, int]) -> _Part:
        places = np.array([photos[record["image_id"]] for record in records], np.int32)
        return cls(
            np.repeat(places, [len(record["dtScores"]) for record in records]),
            _joined([record["dtScores"] for record in records], np.float64),
            _tables(records, "dtMatched"),
            _tables(records, "dtIgnore"),
            np.repeat(places, [int(np.sum(record["gtInDenominator"])) for record in records]),
        )


def _curve(parts: Sequence[_Part]) -> Curve:
    """Stable by score, photos in their order, as pycocotools sorts; nothing counts behind the last hit."""
    none = np.zeros((10, 0), np.bool_)
    order = np.argsort(-_joined([part.scores for part in parts], np.float64), kind="mergesort")
    matched = np.concatenate([none, *(part.matched for part in parts)], axis=1)[:, order]
    ignored = np.concatenate([none, *(part.ignored for part in parts)], axis=1)[:, order]
    hits = matched & ~ignored
    end = int(np.flatnonzero(hits.any(axis=0)).max(initial=-1)) + 1
    return Curve(
        _joined([part.photos for part in parts], np.int32)[order][:end],
        hits[:, :end],
        (~matched & ~ignored)[:, :end],
        _joined([part.objects for part in parts], np.int32),
    )


def _tables(records: Sequence[Any], key: str) -> Flags:
    """``(10, D)``."""
    return np.concatenate([np.asarray(record[key], np.bool_).reshape(10, -1) for record in records], axis=1)


def _joined(parts: Sequence[Any], kind: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(np.asarray(part, kind) for part in parts)])


def _sums(weights: Whole) -> Whole:
    """``(R, D + 1)``: of the first 0, 1 ... D columns."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1), np.int32)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _average(hits: Whole, seen: Whole, positives: Whole) -> Floats:
    """Mean over the 101 recalls of the best precision at that recall or a higher one, as pycocotools has it.

    Only places of hits matter: there recall rises, and precision is highest just there. So each hit answers for the
    recalls that it is the first to reach.
    """
    precision = hits / np.maximum(seen, 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = hits / np.maximum(positives, 1)[:, None]
    reached = (recall * 100 + 1e-9).astype(np.int32)
    reached += recall >= np.take(_RECALLS, reached)  # a step of linspace may lie a bit above its hundredth
    return np.asarray((best * np.diff(reached, axis=1, prepend=0)).sum(axis=1) / 101)


def _mean(values: Floats, axis: int | tuple[int, ...]) -> Floats:
    """Mean of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=axis) / np.where(count, count, np.nan))
