"""Recognizing detections: a tensor that equals an output of the operator in every case that was run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit_passes.heads.nms.candidates.carried import Carried
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]

Kind = Literal["boxes", "scores", "dets", "classes", "batch", "num", "rows", "slots"]

COLUMNS: dict[Kind, int] = {"dets": 5, "boxes": 4, "scores": 1, "classes": 1}

EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Answer:
    """The operator's outputs for one case.

    Attributes:
        boxes: ``(B, T, 4)``.
        scores: ``(B, T)``, descending; 0 in unused slots.
        classes: ``(B, T)``.
        num: ``(B,)``: how many slots are used.
        places: ``(T,)``: of the first picture, which box a used slot has, where boxes have one score each.
    """

    boxes: Array
    scores: Array
    classes: Array
    num: Array
    places: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def best(self, count: int) -> Answer:
        """The same with at most ``count`` used slots."""
        count = min(count, self.scores.shape[1])
        kept = np.arange(self.scores.shape[1]) < count
        num = np.minimum(self.num, count)
        columns = self.boxes * kept[:, None], self.scores * kept, self.classes * kept
        return Answer(*columns, num, self.places)

    def rows(self, total: int) -> Array:
        """``(B, total, 6)``: boxes, score, class."""
        parts = [self.boxes, self.scores[..., None], self.classes[..., None]]
        return np.concatenate(parts, -1)[:, :total]

    def used(self, total: int) -> NDArray[np.bool_]:
        """``(B, total)``."""
        mask: NDArray[np.bool_] = np.arange(total) < self.num[:, None]
        return mask


@dataclass(frozen=True)
class Reading:
    """A tensor of the graph that the operator can give.

    Attributes:
        total: how many slots it has.
        shape: its shape when every slot is used.
        shift: what is added to the operator's classes.
        loose: its unused slots are not those of the operator (which are zero).
        carried: what its rows are from, of the places of the boxes.
        symbolic: its length is not fixed: it has all used slots, and perhaps some unused ones behind them.
    """

    tensor: Tensor
    kind: Kind
    total: int
    shape: tuple[int, ...]
    shift: int = 0
    loose: bool = False
    symbolic: bool = False
    carried: Carried | None = None


def read(tensor: Tensor, arrays: Sequence[Array], answers: Sequence[Answer], reach: float) -> Reading | None:
    """What a tensor is, if anything.

    Args:
        arrays: its value in each case.
        answers: the operator's outputs in the same cases.
        reach: the largest magnitude that boxes have on their way through the graph; its rounding is forgiven.
    """
    if arrays[0].dtype.kind not in "fiu":
        return None
    whole = arrays[0].dtype.kind != "f"
    for kind in COLUMNS:
        found = _as(kind, tensor, arrays, answers, reach) if kind == "classes" or not whole else None
        if found is not None:
            return found
    return None


def count(tensor: Tensor, arrays: Sequence[Array], answers: Sequence[Answer], total: int) -> Reading | None:
    """The tensor as the number of detections in ``total`` slots, if it is that; arguments as in :func:`read`."""
    if arrays[0].dtype.kind not in "iu" or any(item.size != len(answers[0].num) for item in arrays):
        return None
    pairs = zip(arrays, answers, strict=True)
    same = all((item.ravel() == np.minimum(a.num, total)).all() for item, a in pairs)
    return Reading(tensor, "num", total, arrays[0].shape) if same else None


def pictures(tensor: Tensor, arrays: Sequence[Array], answers: Sequence[Answer]) -> Reading | None:
    """The tensor as the index of the picture of each detection, if it is that: 0 of one picture."""
    lengths = [item.size for item in arrays]
    fits = arrays[0].dtype.kind in "iu" and len(answers[0].num) == 1 and len(set(lengths)) > 1
    if not fits or max(lengths) > answers[0].scores.shape[1] or any(item.any() for item in arrays):
        return None
    total, shape = max(lengths), max(arrays, key=np.size).shape
    used = [min(total, int(a.num[0])) for a in answers]
    return Reading(tensor, "batch", total, shape, symbolic=True) if lengths == used else None


def rows(
    tensor: Tensor, arrays: Sequence[Array], answers: Sequence[Answer], carried: Sequence[Carried]
) -> Reading | None:
    """The tensor as rows of what is carried, those of the boxes that are kept, if it is that."""
    found = (_rows(tensor, arrays, answers, item) for item in carried)
    return next((item for item in found if item is not None), None)


def _rows(
    tensor: Tensor, arrays: Sequence[Array], answers: Sequence[Answer], carried: Carried
) -> Reading | None:
    width = carried.values.shape[1]
    if arrays[0].dtype.kind != carried.values.dtype.kind or any(item.size % width for item in arrays):
        return None
    slots = [item.reshape(-1, width) for item in arrays]
    lengths = [len(item) for item in slots]
    total, symbolic = max(lengths), len(set(lengths)) > 1
    if not 1 <= total <= answers[0].scores.shape[1]:
        return None
    for item, answer in zip(slots, answers, strict=True):
        used = min(total, int(answer.num[0]))
        if not np.array_equal(item[:used], carried.values[answer.places[:used]]):
            return None
    shape = max(arrays, key=np.size).shape
    return Reading(tensor, "rows", total, shape, loose=True, symbolic=symbolic, carried=carried)


def _as(
    kind: Kind, tensor: Tensor, arrays: Sequence[Array], answers: Sequence[Answer], reach: float
) -> Reading | None:
    batch = len(answers[0].num)
    per_slot = batch * COLUMNS[kind]
    lengths = [item.size // per_slot for item in arrays]
    total = max(lengths)
    if total < 1 or total > answers[0].scores.shape[1] or any(item.size % per_slot for item in arrays):
        return None
    symbolic = len(set(lengths)) > 1
    least = [min(total, int(a.num.max())) for a in answers]
    if symbolic and any(length < used for length, used in zip(lengths, least, strict=True)):
        return None
    slots = [item.reshape(batch, -1, COLUMNS[kind]) for item in arrays]
    return _compare(kind, tensor, slots, answers, reach, total, max(arrays, key=np.size).shape, symbolic)


def _compare(
    kind: Kind,
    tensor: Tensor,
    slots: list[Array],
    answers: Sequence[Answer],
    reach: float,
    total: int,
    shape: tuple[int, ...],
    symbolic: bool,
) -> Reading | None:
    found = np.concatenate([item.reshape(-1, COLUMNS[kind]) for item in slots])
    wanted = np.concatenate(
        [a.rows(item.shape[1]).reshape(-1, 6) for item, a in zip(slots, answers, strict=True)]
    )
    used = np.concatenate([a.used(item.shape[1]).ravel() for item, a in zip(slots, answers, strict=True)])
    if not used.any():
        return None
    columns = {"boxes": slice(0, 4), "scores": slice(4, 5), "dets": slice(0, 5), "classes": slice(5, 6)}[kind]
    shift = int(np.rint(found[used][0, 0] - wanted[used][0, 5])) if kind == "classes" else 0
    allowed = np.zeros(6)
    allowed[:4], allowed[4] = 4 * EPSILON * reach, 4 * EPSILON
    close = np.abs(found.astype(np.float64) - shift - wanted[:, columns]) <= allowed[columns]
    if not close[used].all():
        return None
    # an unused slot is known by its score, so that must be 0; what else it holds means nothing
    if kind in ("scores", "dets") and found[~used][:, -1].any():
        return None
    loose = bool((found[~used] != shift).any())
    return Reading(tensor, kind, total, shape, shift, loose, symbolic)
