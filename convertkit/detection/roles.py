"""What the outputs of a detection graph mean: whichever tensors a network has, one form for checks and scoring.

That form is mmdet's: ``dets`` ``(N, 5) x1 y1 x2 y2 score``, ``labels`` ``(N,)`` and, where there are any, ``masks``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from convertkit.errors import GraphError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Column = Literal["x1", "y1", "x2", "y2", "cx", "cy", "w", "h", "score", "label", "other"]
"""Of a row: corners, or a corner or the centre with the sizes, pixels of the network input; ``other`` is ignored."""

ROWS: dict[str, tuple[Column, ...]] = {
    "dets": ("x1", "y1", "x2", "y2", "score"),
    "detections": ("x1", "y1", "x2", "y2", "score", "label"),
    "boxes": ("x1", "y1", "x2", "y2"),
}
"""Roles of tensors that hold boxes, and their columns where nobody says."""

SETS = frozenset({*ROWS, "scores", "labels", "count", "masks"})
"""Roles of what is a set of detections: the order of rows means nothing."""

_CORNERS = (("x1", "y1", "x2", "y2"), ("x1", "y1", "w", "h"), ("cx", "cy", "w", "h"))


@dataclass(frozen=True)
class Meaning:
    """What one output means: its role, and the columns of its rows where they are not the usual ones."""

    role: str
    columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, told: Meaning | str) -> Meaning:
        """The same, of a role alone too."""
        return told if isinstance(told, Meaning) else cls(told)

    @property
    def row(self) -> tuple[Column, ...]:
        """The columns that are in force."""
        return self.columns or ROWS.get(self.role, ())


Roles: TypeAlias = "Mapping[str, Meaning | str]"
"""By the names of outputs, in graph order."""


def complaint(meanings: Sequence[Meaning]) -> str:
    """Why outputs of these meanings are no set of detections; empty where they are one, or where none is meant."""
    roles = [one.role for one in meanings if one.role in SETS]
    if not roles:
        return ""
    if twice := next((role for role in roles if roles.count(role) > 1), ""):
        return f"role {twice!r} is given twice"
    rows = [one for one in meanings if one.role in ROWS]
    if len(rows) != 1:
        return f"boxes come with one of the roles {', '.join(ROWS)}; here with {len(rows)} of them"
    have = rows[0].row
    if strange := next((one for one in have if one not in get_args(Column)), ""):
        return f"column {strange!r} is none of {', '.join(get_args(Column))}"
    if not any(set(form) <= set(have) for form in _CORNERS):
        forms = "; ".join(" ".join(form) for form in _CORNERS)
        return f"columns {' '.join(have)} have no box in them: {forms}"
    if ("score" in have) == ("scores" in roles):
        return "a score is a column or an output of role 'scores', and needed once"
    if "label" in have and "labels" in roles:
        return "the label is both a column and an output of role 'labels'"
    return ""


def as_sets(outputs: Mapping[str, Array], roles: Roles) -> dict[str, Array]:
    """The detections of one picture in mmdet's form, by role.

    Slots from ``count`` on get score 0, as an empty slot has it; without labels all detections are of class 0.

    Args:
        outputs: by name; a leading axis of 1 may stand for the picture.
        roles: by the same names; what is no detection is left out.

    Raises:
        GraphError: an output is missing, or does not fit the others.
    """
    have = {(meaning := Meaning.of(told)).role: (name, meaning) for name, told in roles.items()}
    name, meaning = next((have[role] for role in ROWS if role in have), ("", Meaning("other")))
    if not name:
        raise GraphError(f"no output has one of the roles {', '.join(ROWS)}")
    rows, masks = _output(outputs, name), _of(outputs, have, "masks")
    scores, labels = _of(outputs, have, "scores"), _of(outputs, have, "labels")
    if rows.ndim == 3 and len(rows) == 1:
        rows = rows[0]
        scores, labels, masks = (_of_one(one, len(rows)) for one in (scores, labels, masks))
    if rows.ndim != 2 or rows.shape[1] != len(meaning.row):
        raise GraphError(f"{name} {rows.shape} is not (N, {len(meaning.row)}): {' '.join(meaning.row)}")
    for role, one in (("scores", scores), ("labels", labels)):
        if one is not None and one.shape != (len(rows),):
            raise GraphError(f"outputs do not fit together: {name} {rows.shape}, {have[role][0]} {one.shape}")
    if masks is not None and len(masks) != len(rows):
        raise GraphError(
            f"outputs do not fit together: {name} {rows.shape}, {have['masks'][0]} {masks.shape}"
        )
    dets = _dets(rows, meaning.row, scores)
    if (count := _of(outputs, have, "count")) is not None:
        dets = _filled(dets, count, have["count"][0])
    if labels is None:
        labels = _labels(rows, meaning.row)
    return {"dets": dets, "labels": labels} | ({} if masks is None else {"masks": masks})


def _output(outputs: Mapping[str, Array], name: str) -> Array:
    if name not in outputs:
        raise GraphError(f"the graph has no output {name!r}; it has {', '.join(outputs)}")
    return np.asarray(outputs[name])


def _of(outputs: Mapping[str, Array], have: Mapping[str, tuple[str, Meaning]], role: str) -> Array | None:
    return _output(outputs, have[role][0]) if role in have else None


def _of_one(array: Array | None, rows: int) -> Array | None:
    """Without the axis of the one picture, where the array has it."""
    if array is None or array.ndim < 2 or len(array) != 1 or array.shape[1] != rows:
        return array
    return np.asarray(array[0])


def _dets(rows: Array, columns: Sequence[str], scores: Array | None) -> Array:
    """``(N, 5)``; the very array where it is that already."""
    if tuple(columns) == ROWS["dets"]:
        return rows
    at = {column: rows[:, index] for index, column in enumerate(columns)}
    if "cx" in at:
        left, top = at["cx"] - at["w"] / 2, at["cy"] - at["h"] / 2
    else:
        left, top = at["x1"], at["y1"]
    right, bottom = (left + at["w"], top + at["h"]) if "w" in at else (at["x2"], at["y2"])
    return np.stack([left, top, right, bottom, at["score"] if scores is None else scores], axis=1)


def _labels(rows: Array, columns: Sequence[str]) -> Array:
    if "label" not in columns:
        return np.zeros(len(rows), np.int64)
    found = rows[:, list(columns).index("label")]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.round(np.nan_to_num(found)).astype(np.int64))


def _filled(dets: Array, count: Array, name: str) -> Array:
    if count.size != 1:
        raise GraphError(f"{name} {count.shape} is not the one number of detections")
    number = int(count.reshape(-1)[0])
    if not 0 <= number <= len(dets):
        raise GraphError(f"{name} says {number} detections, and there are {len(dets)} slots")
    empty = dets.copy()
    empty[number:, 4] = 0
    return empty
