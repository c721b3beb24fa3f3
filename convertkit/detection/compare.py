"""Compare two raw outputs of a detection graph as sets: the order of slots means nothing, the detections do.

A pass that rounds differently may exchange two detections whose scores are nearly equal. So slots are matched
by label and overlap, and what has no partner is judged:

* A full list is cut at its lowest score. A detection that is missing from a full list, and whose own score is
  within the score tolerance of that list's lowest score, may have been pushed out: it is *excused*.
* The same holds for a detection within the score tolerance of ``score_threshold``, when that is given.
* Everything else without a partner is an error. That includes a detection which a suppression threshold (an
  IoU that rounds to the other side) brought or took away: nothing in the outputs tells it from a broken graph.

Excused detections are counted and named in the summary; when nothing but excused ones is left, nothing was
compared, and the comparison fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hotcoco.primitives import lsap
from numpy.typing import NDArray

from convertkit.detection.boxes import iou

MATCH_IOU = 0.5
"""Two detections of one label may be partners from this overlap on (or within ``Tolerance.box_px``)."""


@dataclass(frozen=True)
class Tolerance:
    """How far two detections that are partners may differ. The default is: not at all.

    ``box_px``: of any box coordinate, in pixels of the network input. ``score``: of the score. ``mask``: of any
    mask probability. ``min_iou``: overlap that the boxes must keep. ``unmatched``: how many detections may be
    without a partner. ``score_threshold``: where the graph cuts its list, if it does.
    """

    box_px: float = 0.0
    score: float = 0.0
    mask: float = 0.0
    min_iou: float = 0.0
    unmatched: int = 0
    score_threshold: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What was found. Errors are 0 and ``min_iou`` is 1 where there was nothing to compare.

    ``max_mask_error`` is that of the predicted class, ``max_any_mask_error`` that of any class, where both runs
    have them all.
    ``unmatched_before`` and ``unmatched_after`` count the detections without a partner that are not excused.
    """

    ok: bool
    summary: str
    matched: int = 0
    max_box_error_px: float = 0.0
    max_score_error: float = 0.0
    min_iou: float = 1.0
    max_mask_error: float = 0.0
    max_any_mask_error: float = 0.0
    unmatched_before: int = 0
    unmatched_after: int = 0
    excused: int = 0


def compare_detections(
    before: Mapping[str, NDArray[Any]], after: Mapping[str, NDArray[Any]], tolerance: Tolerance
) -> Comparison:
    """Match the detections of two runs and measure how far they are apart.

    Args:
        before: arrays by role: ``dets`` ``(N, 5) x1 y1 x2 y2 score``, ``labels`` ``(N,)``, and optionally
            ``masks`` ``(N, C, h, w)`` or ``(N, h, w)``; C is 1 where masks know no classes. All may have a leading
            axis for a batch of one. Slots with a score <= 0 are empty.
        after: the same of the rewritten graph; its N, and the form of its masks, may differ. Where one run has all
            classes and the other has chosen, the mask of the label is compared.
        tolerance: what is still equal.

    Returns:
        The comparison. Arrays that are no detections at all make it fail with a summary that says why.
    """
    try:
        first, second = _slots("before", before), _slots("after", after)
    except ValueError as error:
        return Comparison(ok=False, summary=str(error))
    if (first.masks is None) != (second.masks is None):
        return Comparison(ok=False, summary="one run has masks, the other has none")
    with np.errstate(invalid="ignore", over="ignore"):
        return _compare(first, second, tolerance)


@dataclass(frozen=True)
class _Slots:
    """The occupied slots of one run; ``full`` says whether every slot was occupied."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    masks: NDArray[Any] | None
    rows: NDArray[np.int64]
    full: bool


def _slots(when: str, outputs: Mapping[str, NDArray[Any]]) -> _Slots:
    missing = {"dets", "labels"} - outputs.keys()
    if missing:
        raise ValueError(f"{when}: no output has the role {' or '.join(sorted(missing))}")
    dets, labels, masks = np.asarray(outputs["dets"]), np.asarray(outputs["labels"]), outputs.get("masks")
    # a batch of one image, as one-stage heads export it
    if dets.ndim == 3 and len(dets) == len(labels) == 1:
        dets, labels, masks = dets[0], labels[0], None if masks is None else masks[0]
    if dets.ndim != 2 or dets.shape[1] != 5 or labels.shape != (len(dets),):
        raise ValueError(f"{when}: dets {dets.shape} and labels {labels.shape} are not (N, 5) and (N,)")
    rows = np.flatnonzero(~(dets[:, 4] <= 0))
    live = dets[rows].astype(np.float64)
    if not np.isfinite(live).all():
        raise ValueError(f"{when}: a detection has a coordinate or a score that is not finite")
    chosen = labels[rows].astype(np.int64)
    if masks is not None:
        if masks.ndim not in (3, 4) or len(masks) != len(dets):
            raise ValueError(
                f"{when}: masks {masks.shape} are not ({len(dets)}, C, h, w) or ({len(dets)}, h, w)"
            )
        classes = masks.shape[1] if masks.ndim == 4 and masks.shape[1] > 1 else None
        if classes and len(chosen) and not 0 <= chosen.min() <= chosen.max() < classes:
            raise ValueError(f"{when}: labels {chosen.min()}..{chosen.max()}, but masks of {classes} classes")
    return _Slots(live[:, :4], live[:, 4], chosen, masks, rows, full=len(rows) == len(dets) > 0)


def _compare(before: _Slots, after: _Slots, tolerance: Tolerance) -> Comparison:
    overlap = iou(before.boxes, after.boxes)
    apart = np.abs(before.boxes[:, None] - after.boxes[None]).max(axis=2, initial=0.0)
    overlap[apart == 0] = 1.0  # a box without area is still equal to itself
    score_apart = np.abs(before.scores[:, None] - after.scores[None])
    left, right = _match(before, after, overlap, apart, score_apart, tolerance)
    mask_error, other_error = _mask_errors(before, after, left, right)
    lost, excused_lost = _unmatched(before, left, after, tolerance)
    new, excused_new = _unmatched(after, right, before, tolerance)
    found = {
        "matched": len(left),
        "max_box_error_px": float(apart[left, right].max(initial=0.0)),
        "max_score_error": float(score_apart[left, right].max(initial=0.0)),
        "min_iou": float(overlap[left, right].min(initial=1.0)),
        "max_mask_error": mask_error,
        "max_any_mask_error": other_error,
        "unmatched_before": lost,
        "unmatched_after": new,
        "excused": excused_lost + excused_new,
    }
    return _judge(found, tolerance)


def _match(
    before: _Slots,
    after: _Slots,
    overlap: NDArray[np.float64],
    apart: NDArray[np.float64],
    score_apart: NDArray[np.float64],
    tolerance: Tolerance,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best assignment among detections of one label that overlap, or lie within the box tolerance."""
    near = apart <= tolerance.box_px if np.isfinite(tolerance.box_px) else np.zeros_like(apart, np.bool_)
    allowed = (before.labels[:, None] == after.labels[None]) & ((overlap >= MATCH_IOU) | near)
    return partners(allowed, overlap, score_apart)


def partners(
    allowed: NDArray[np.bool_], overlap: NDArray[np.float64], score_apart: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the best assignment: first as many pairs as are allowed, then the nearest.

    Args:
        allowed, overlap, score_apart: ``(N, M)``, of every pair.
    """
    if not allowed.any():
        nothing = np.zeros(0, np.int64)
        return nothing, nothing
    forbidden = 4.0 * (1 + min(overlap.shape))  # dearer than any full set of allowed pairs
    cost = np.where(allowed, (1.0 - overlap) + np.minimum(score_apart, 1.0), forbidden)
    rows, columns = (np.asarray(side, np.int64) for side in lsap(cost))
    real = allowed[rows, columns]
    return rows[real], columns[real]


def _mask_errors(
    before: _Slots, after: _Slots, left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[float, float]:
    """The largest difference in the predicted class, and in any class where both runs have them all.

    Row by row, so that no second copy of the masks is made.
    """
    if before.masks is None or after.masks is None or len(left) == 0:
        return 0.0, 0.0
    chosen, rest = np.zeros(len(left)), np.zeros(len(left))
    for index, (i, j) in enumerate(zip(left, right, strict=True)):
        a, b = before.masks[before.rows[i]], after.masks[after.rows[j]]
        label = before.labels[i]
        chosen[index] = _furthest(_of_label(a, label), _of_label(b, label))
        if a.ndim == b.ndim == 3:
            rest[index] = _furthest(a, b)
    return float(chosen.max()), float(rest.max())


def _of_label(masks: NDArray[Any], label: np.int64) -> NDArray[Any]:
    """``(h, w)``: one detection's mask out of its ``(C, h, w)``; the only one where C is 1."""
    if masks.ndim == 2:
        return masks
    return np.asarray(masks[0 if len(masks) == 1 else label])


def _furthest(a: NDArray[Any], b: NDArray[Any]) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a - b, dtype=np.float32).max(initial=0.0))


def _unmatched(
    side: _Slots, matched: NDArray[np.int64], other: _Slots, tolerance: Tolerance
) -> tuple[int, int]:
    """How many detections of ``side`` lack a partner without and with an excuse."""
    alone = np.setdiff1d(np.arange(len(side.scores)), matched)
    limit = -np.inf if tolerance.score_threshold is None else tolerance.score_threshold
    if other.full:
        limit = max(limit, float(other.scores.min()))
    excused = int((side.scores[alone] <= limit + tolerance.score).sum())
    return len(alone) - excused, excused


def _judge(found: dict[str, Any], tolerance: Tolerance) -> Comparison:
    masks = float(np.maximum(found["max_mask_error"], found["max_any_mask_error"]))  # NaN stays NaN
    alone = found["unmatched_before"] + found["unmatched_after"]
    complaints = [
        text
        for fine, text in (
            (
                found["max_box_error_px"] <= tolerance.box_px,
                f"boxes differ by {found['max_box_error_px']:.3g} px",
            ),
            (found["max_score_error"] <= tolerance.score, f"scores differ by {found['max_score_error']:.3g}"),
            (found["min_iou"] >= tolerance.min_iou, f"boxes overlap only by {found['min_iou']:.4f}"),
            (masks <= tolerance.mask, f"masks differ by {masks:.3g}"),
            (
                alone <= tolerance.unmatched,
                f"{found['unmatched_before']} lost, {found['unmatched_after']} new",
            ),
            (
                found["matched"] or not found["excused"],
                "only detections at the end of the list, none comparable",
            ),
        )
        if not fine
    ]
    excused = f", {found['excused']} exchanged at the end of the list" if found["excused"] else ""
    verdict = "; ".join(complaints) or (
        f"within {found['max_box_error_px']:.3g} px, score {found['max_score_error']:.3g}, mask {masks:.3g}"
    )
    return Comparison(
        ok=not complaints, summary=f"{found['matched']} detections matched{excused}: {verdict}", **found
    )
