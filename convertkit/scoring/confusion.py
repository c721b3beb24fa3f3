"""Which category is taken for which: hotcoco's confusion matrix, and precision over recall from the matches."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from convertkit.datasets.annotations import AnnotationFile
from convertkit.scoring.matches import Curve, Floats, Matches
from convertkit.scoring.parts import Parts

RECALLS = np.linspace(0, 1, 101)
ROWS = {"0.50": 0, "0.75": 5}
"""The IoUs of COCO's AP50 and AP75, with their row in a :class:`Curve`."""


class Confusion(Struct, frozen=True):
    """Counts at one IoU and score.

    Attributes:
        names: of categories that an object or a detection has, in the dataset's order.
        counts: by object's category, then by detection's; the last of both is "nothing": missed, or not there.
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    iou: float
    score: float


def confusion(
    found: AnnotationFile, results: Path, image_ids: Collection[int], *, iou: float = 0.5, score: float = 0.3
) -> Confusion:
    """Boxes against boxes, whatever their category, those below ``score`` left out.

    Args:
        results: a file of detections, as :class:`~convertkit.scoring.results.ResultsWriter` writes it.
    """
    counts, ids = np.zeros((0, 0), np.int64), list[int]()
    for part in Parts(found, sorted(image_ids), results, ["bbox"]):
        evaluation = part.evaluation("bbox")
        matrix: dict[str, Any] = evaluation.confusion_matrix(iou_thr=iou, max_det=100, min_score=score)
        own = np.asarray(matrix["matrix"]).astype(np.int64)
        counts, ids = (counts + own if counts.size else own), list(matrix["cat_ids"])
    used = np.flatnonzero((counts.sum(axis=0) + counts.sum(axis=1))[:-1])
    names = {category.id: category.name for category in found.categories}
    kept = counts[np.ix_([*used, -1], [*used, -1])]
    return Confusion(
        tuple(names[ids[index]] for index in used),
        tuple(tuple(row) for row in kept.tolist()),
        iou,
        score,
    )


def precision(found: Matches, row: int) -> Floats:
    """``(101,)``: at each of COCO's recalls the mean over categories with objects; its mean is AP at that IoU.

    Args:
        row: of the IoU, as in :data:`ROWS`.
    """
    known = [_precision(curve, row) for curve in found.curves("AP") if len(curve.objects)]
    return np.mean(known, axis=0) if known else np.zeros(len(RECALLS))


def _precision(curve: Curve, row: int) -> Floats:
    """The best precision at each recall or a higher one, 0 where it is not reached, as pycocotools has it."""
    hits, seen = np.cumsum(curve.hits[row]), np.cumsum(curve.hits[row] | curve.misses[row])
    best = np.maximum.accumulate((hits / np.maximum(seen, 1))[::-1])[::-1]
    places = np.searchsorted(hits / len(curve.objects), RECALLS, side="left")
    return np.asarray(np.append(best, 0.0)[places], np.float64)
