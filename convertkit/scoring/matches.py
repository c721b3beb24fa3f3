"""What became of every detection, photo by photo: all that AP needs to know of a photo, whatever is resampled.

COCO's matching looks at one photo at a time, so a sample of photos needs no matching of its own: AP is a sum over the
photos' detections in the order of their scores, each as often as its photo was drawn. A photo drawn twice counts like
two photos with equal scores side by side, which is what pycocotools makes of a dataset that holds it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from convertkit.storage.shelf import Shelf

Floats = NDArray[np.float64]
Whole = NDArray[np.int32]
Flags = NDArray[np.bool_]
Bits = NDArray[np.uint16]

AREAS = ("AP", "APs", "APm", "APl")
"""The metric of each of COCO's size ranges, in the order of its parameters; AP50 and AP75 are rows of the first."""

_IOUS = {"AP50": 0, "AP75": 5}
METRICS = ("AP", *_IOUS, *AREAS[1:])
"""COCO's six kinds of average precision."""

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
_BITS = np.arange(len(IOUS), dtype=np.uint16)[:, None]
_STEPS = np.append(RECALLS, np.inf)
_BLOCK = 1 << 18
"""Elements worked on at once: 2 MB of float64, so memory does not grow with the number of samples."""

_ROW = np.dtype([("photo", "i4"), ("hits", "u2"), ("misses", "u2")])


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
        found = np.zeros((len(drawn), len(self.hits)))
        rows = max(1, _BLOCK // max(1, len(self.photos)))
        for start in range(0, len(drawn), rows):
            part = slice(start, start + rows)
            found[part] = self._block(np.ascontiguousarray(drawn[part].T))
        return found

    def _block(self, drawn: Whole) -> Floats:
        """A running sum over detections that count at every IoU, and one per IoU over the few that do not.

        Samples lie side by side, ``(N, R)``, so that a running sum adds rows, many samples at a time. Most classes have
        few objects, and the same of them are found at several IoUs: those have one average.
        """
        positives = np.take(drawn, self.objects, axis=0).sum(axis=0, dtype=np.int32)
        weights = np.take(drawn, self.photos, axis=0)
        counted = self.hits | self.misses
        always = counted.all(axis=0)
        common = _sums(weights[always])
        before = np.cumsum(always)
        same = [False, *((self.hits[1:] == self.hits[:-1]) & (counted[1:] == counted[:-1])).all(axis=1)]
        found = np.zeros((drawn.shape[1], len(self.hits)))
        for row, (hits, counts) in enumerate(zip(self.hits, counted, strict=True)):
            places = np.flatnonzero(hits)
            if same[row] or not places.size:
                found[:, row] = found[:, row - 1] if same[row] else 0
                continue
            rest = counts & ~always
            seen = np.take(common, before[places], axis=0)
            if rest.any():
                seen += np.take(_sums(weights[rest]), np.cumsum(rest)[places], axis=0)
            found[:, row] = _average(_sums(weights[places])[1:], seen, positives)
        found[positives == 0] = np.nan
        return found


@dataclass(frozen=True, eq=False)
class Matches:
    """The matches of a rung on ``photos`` photos: by metric of :data:`AREAS`, then by category. Many are on disk.

    ``categories`` holds the names, as in ``Metrics.per_class``.
    """

    photos: int
    categories: tuple[str, ...]
    shelf: Shelf[tuple[str, int, Literal["detections", "objects"]]]

    def put(self, area: str, index: int, curve: Curve) -> None:
        """That of a category."""
        rows = np.empty(len(curve.photos), _ROW)
        rows["photo"], rows["hits"], rows["misses"] = curve.photos, packed(curve.hits), packed(curve.misses)
        self.shelf.add((area, index, "detections"), rows.tobytes())
        self.shelf.add((area, index, "objects"), curve.objects.tobytes())

    def curves(self, area: str) -> Iterator[Curve]:
        """Those of the categories, in their order."""
        for index in range(len(self.categories)):
            rows = np.frombuffer(self.shelf.of((area, index, "detections")), _ROW)
            objects = np.frombuffer(self.shelf.of((area, index, "objects")), np.int32)
            yield Curve(rows["photo"], unpacked(rows["hits"]), unpacked(rows["misses"]), objects)

    def resampled(self, drawn: Whole, metrics: Sequence[str] = ()) -> dict[str, Floats]:
        """Metric to ``(R,)``: its value on each sample, NaN where that has nothing to find.

        Args:
            drawn: ``(R, photos) int32``: how often each sample holds each photo.
            metrics: of ``AP AP50 AP75 APs APm APl`` and ``AP CATEGORY``; all by default.
        """
        wanted = metrics or (*METRICS, *(f"AP {name}" for name in self.categories))
        found = dict(self._every(drawn, set(wanted)))
        return {name: found[name] for name in wanted}

    def resampled_by(self, drawn: Iterable[Whole]) -> dict[str, Floats]:
        """The same of samples that come some at a time, of all metrics."""
        found = [self.resampled(some) for some in drawn]
        return {name: np.concatenate([some[name] for some in found]) for name in found[0]}

    def holding(self, photos: Whole | None = None) -> dict[str, int]:
        """How many photos have an object of a category, by ``AP CATEGORY``.

        Args:
            photos: ``(photos,) int32``: how often each is there; once by default.
        """
        there = np.ones(self.photos, np.int32) if photos is None else photos
        return {
            f"AP {name}": int(there[np.unique(curve.objects)].sum())
            for name, curve in zip(self.categories, self.curves("AP"), strict=True)
        }

    def _every(self, drawn: Whole, wanted: set[str]) -> Iterator[tuple[str, Floats]]:
        for area in AREAS:
            if area != "AP" and area not in wanted:
                continue
            averages = np.stack([curve.average(drawn) for curve in self.curves(area)])
            yield area, _mean(averages, (0, 2))
            if area == "AP":
                yield from ((name, _mean(averages[:, :, row], 0)) for name, row in _IOUS.items())
                yield from zip((f"AP {name}" for name in self.categories), _mean(averages, 2), strict=True)


def packed(flags: Flags) -> Bits:
    """``(10, D) bool`` as ``(D,)``: a bit for each IoU."""
    return np.asarray(np.bitwise_or.reduce(flags.astype(np.uint16) << _BITS, axis=0), np.uint16)


def unpacked(bits: Bits) -> Flags:
    """The other way."""
    return np.asarray((bits >> _BITS) & 1, np.bool_)


def _sums(weights: Whole) -> Whole:
    """``(D + 1, R)``: of the first 0, 1 ... D rows."""
    sums = np.zeros((weights.shape[0] + 1, weights.shape[1]), np.int32)
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def _average(hits: Whole, seen: Whole, positives: Whole) -> Floats:
    """Mean over the 101 recalls of the best precision at that recall or a higher one, as pycocotools has it.

    Only places of hits matter: there recall rises, and precision is highest just there. So each hit answers for the
    recalls that it is the first to reach.
    """
    precision = hits / np.maximum(seen, 1)
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    recall = hits / np.maximum(positives, 1)
    reached = (recall * 100 + 1e-9).astype(np.int32)
    reached += recall >= np.take(_STEPS, reached)  # a step of linspace may lie a bit above its hundredth
    answered = best * np.diff(reached, axis=0, prepend=0)
    return np.asarray(np.ascontiguousarray(answered.T).sum(axis=1) / 101)


def _mean(values: Floats, axis: int | tuple[int, ...]) -> Floats:
    """Mean of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=axis) / np.where(count, count, np.nan))
