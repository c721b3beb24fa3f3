"""How far the detections of a graph are from those of another that is taken for right: no labels are needed.

The loss of a photo is 0 where both find the same, and 1 where they have nothing in common. Detections of one label are
partners from an IoU of 0.5 on, in the best assignment (:mod:`convertkit.detection.compare`). Each pair, and each
detection without a partner, counts by its score (a pair by the larger of both), since a detection that nobody would
show may come and go; one that is not finite counts fully. The loss is the mean of their costs so weighted:

* without a partner: :attr:`Weights.unmatched`;
* a pair: ``score * |difference of scores| + box * (1 - IoU of boxes) + mask * (1 - IoU of masks)``; where there are no
  masks, boxes have their share.

AP, where labels are there, judges in the end: the loss only says which of two graphs is nearer to the reference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import hotcoco.mask
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from convertkit.detection.boxes import iou
from convertkit.detection.compare import MATCH_IOU, partners
from convertkit.detection.types import RLE, Detections
from convertkit.errors import GraphError, UsageError
from convertkit.scoring.intervals import Estimate, draw

Floats = NDArray[np.float64]

PARTS = ("unmatched", "score", "box", "mask")


@dataclass(frozen=True)
class Weights:
    """What each part of the loss may cost at most; a pair costs no more than a detection without a partner."""

    unmatched: float = 1.0
    score: float = 0.25
    box: float = 0.5
    mask: float = 0.25

    def __post_init__(self) -> None:
        if min(self.unmatched, self.score, self.box, self.mask) < 0:
            raise UsageError(f"weights of a loss are not negative: {self}")
        if self.score + self.box + self.mask > self.unmatched:
            raise UsageError(f"a pair would cost more than a detection without a partner: {self}")


class PhotoLoss(Struct, frozen=True):
    """Of one photo; ``parts`` by the names in :data:`PARTS` add up to ``loss``.

    Attributes:
        matched: pairs.
        lost: detections that only the reference has.
        new: those that only the other has.
        failed: whether the other could not be run.
    """

    photo: str
    loss: float
    parts: dict[str, float]
    matched: int = 0
    lost: int = 0
    new: int = 0
    failed: bool = False


class Loss(Struct, frozen=True):
    """Over photos, all of the same weight: the mean with its 95 % interval, and what it is made of.

    Where not all were looked at, the mean is the least that it can be, with 0 for each of the others, and the interval
    ends where they cost everything; so are the parts.

    Attributes:
        photos: in the order of the dataset; null for one that was not looked at.
    """

    estimate: Estimate
    parts: dict[str, float]
    photos: tuple[PhotoLoss | None, ...]

    @property
    def seen(self) -> tuple[PhotoLoss, ...]:
        return tuple(photo for photo in self.photos if photo is not None)

    @property
    def whole(self) -> bool:
        """Whether all photos were looked at."""
        return None not in self.photos


def photo_loss(
    photo: str, reference: Detections, found: Detections | None, weights: Weights = Weights()
) -> PhotoLoss:
    """The loss of one photo.

    Args:
        reference: of the graph that is taken for right.
        found: of the other; None where it could not be run, which costs everything, whatever there was to find.

    Raises:
        GraphError: the reference has a box or a score that is not finite, or only one of both has masks.
    """
    if not _finite(reference).all():
        raise GraphError(f"{photo}: the reference has a box or a score that is not finite")
    if found is None:
        parts = dict.fromkeys(PARTS, 0.0) | {"unmatched": weights.unmatched}
        return PhotoLoss(photo, weights.unmatched, parts, lost=len(reference), failed=True)
    masked = _have_masks(photo, reference, found)
    left, right, overlap = _pairs(reference, found)
    both = np.maximum(reference.scores[left], found.scores[right]).astype(np.float64)
    lost, new = np.delete(reference.scores, left), np.delete(_worth(found), right)
    total = float(both.sum() + lost.sum() + new.sum())
    if not total:
        return PhotoLoss(photo, 0.0, dict.fromkeys(PARTS, 0.0))
    apart = np.abs(reference.scores[left].astype(np.float64) - found.scores[right])
    parts = {
        "unmatched": weights.unmatched * float(lost.sum() + new.sum()) / total,
        "score": weights.score * float(both @ apart) / total,
        "box": (weights.box + (0 if masked else weights.mask)) * float(both @ (1 - overlap)) / total,
        "mask": weights.mask * float(both @ (1 - _mask_ious(reference, found, left, right))) / total
        if masked
        else 0.0,
    }
    return PhotoLoss(photo, sum(parts.values()), parts, len(left), len(lost), len(new))


def loss_of(photos: Sequence[PhotoLoss | None], weights: Weights = Weights()) -> Loss:
    """The mean over photos, with a bootstrap over them (:mod:`convertkit.scoring.intervals`).

    Samples of n photos vary by (n - 1) / n of what they should, so the interval is widened by that.

    Args:
        photos: None for one that was not looked at. weights: those of the photos' losses.

    Raises:
        UsageError: there is no photo.
    """
    if not photos:
        raise UsageError("a loss needs at least one photo")
    seen, count = [photo for photo in photos if photo is not None], len(photos)
    values = np.array([one.loss for one in seen], np.float64)
    parts = {name: sum(one.parts[name] for one in seen) / count for name in PARTS}
    if len(seen) < count:
        least, rest = float(values.sum()) / count, weights.unmatched * (count - len(seen)) / count
        return Loss(Estimate(least, math.inf, least, least + rest), parts, tuple(photos))
    if count == 1:
        estimate = Estimate.of(float(values[0]), values)
    else:
        samples = draw(np.ones(count, np.int64)) @ values / count
        estimate = Estimate.of(float(values.mean()), samples, float(np.sqrt(count / (count - 1))))
    return Loss(estimate, parts, tuple(photos))


def beside(one: Loss, other: Loss) -> tuple[float, float]:
    """Both means, over the photos that were looked at both times, in two losses of the same photos."""
    if one.whole and other.whole:
        return one.estimate.value, other.estimate.value
    pairs = _both(one, other)
    return sum(first for first, _ in pairs) / len(pairs), sum(second for _, second in pairs) / len(pairs)


def gain(one: Loss, other: Loss) -> float:
    """How much less the second costs, of all photos, as far as they were looked at both times."""
    if one.whole and other.whole:
        return one.estimate.value - other.estimate.value
    return sum(first - second for first, second in _both(one, other)) / len(one.photos)


def _both(one: Loss, other: Loss) -> list[tuple[float, float]]:
    pairs = zip(one.photos, other.photos, strict=True)
    return [(first.loss, second.loss) for first, second in pairs if first is not None and second is not None]


def _pairs(reference: Detections, found: Detections) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Places of partners on both sides, and the IoU of their boxes."""
    with np.errstate(invalid="ignore", over="ignore"):
        overlap = iou(reference.boxes, found.boxes)
        apart = np.abs(reference.boxes[:, None] - found.boxes[None]).max(axis=2, initial=0.0)
        scores = np.abs(reference.scores[:, None].astype(np.float64) - found.scores[None])
    overlap[apart == 0] = 1.0  # a box without area is still equal to itself
    alike = (reference.labels[:, None] == found.labels[None]) & (overlap >= MATCH_IOU)
    left, right = partners(alike & _finite(found)[None], overlap, np.nan_to_num(scores))
    return left, right, overlap[left, right]


def _finite(found: Detections) -> NDArray[np.bool_]:
    fine: NDArray[np.bool_] = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.scores)
    return fine


def _worth(found: Detections) -> Floats:
    """What each counts: its score; fully where something of it is not finite."""
    return np.where(_finite(found), found.scores, 1.0).astype(np.float64)


def _have_masks(photo: str, reference: Detections, found: Detections) -> bool:
    if len(reference) and len(found) and (reference.masks is None) != (found.masks is None):
        raise GraphError(f"{photo}: one run has masks, the other has none")
    return reference.masks is not None and found.masks is not None


def _mask_ious(
    reference: Detections, found: Detections, left: NDArray[np.int64], right: NDArray[np.int64]
) -> Floats:
    assert reference.masks is not None and found.masks is not None
    pairs = [(reference.masks[i], found.masks[j]) for i, j in zip(left, right, strict=True)]
    return np.array([_mask_iou(one, other) for one, other in pairs], np.float64)


def _mask_iou(one: RLE, other: RLE) -> float:
    """1 of two that are equal, empty ones too."""
    first, second = (_text(mask) for mask in (one, other))
    if first == second:
        return 1.0
    found: Any = hotcoco.mask.iou([first], [second], [0])
    return float(found[0][0])


def _text(mask: RLE) -> dict[str, Any]:
    counts = mask["counts"]
    return {"size": list(mask["size"]), "counts": counts if isinstance(counts, bytes) else counts.encode()}
