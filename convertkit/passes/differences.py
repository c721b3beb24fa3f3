"""How far one output of a graph is from what it was before a pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.detection.compare import Comparison
from convertkit.errors import GraphError, PassError

Array: TypeAlias = NDArray[Any]


def first_rows(name: str, old: Array, new: Array) -> Array:
    """As many rows of ``new`` as ``old`` has, along the one axis that has become longer."""
    if old.ndim != new.ndim:
        return new
    longer = [axis for axis, size in enumerate(old.shape) if size != new.shape[axis]]
    if len(longer) != 1 or old.shape[longer[0]] > new.shape[longer[0]]:
        return new
    rows, behind = np.split(new, [old.shape[longer[0]]], longer[0])
    if not np.array_equal(behind, np.broadcast_to(behind.take([0], longer[0]), behind.shape), equal_nan=True):
        raise PassError(
            f"it fills {name} up with rows that are not all alike behind the {old.shape[longer[0]]} there were"
        )
    return rows


def as_many(old: Array, new: Array) -> Array:
    """The first rows of ``old``, as many as ``new`` has, along whichever axes have become shorter."""
    if old.ndim != new.ndim:
        return old
    return old[tuple(slice(size) for size in new.shape)]


def tells(values: Array, step: float) -> bool:
    """Whether there is a value that is a number, and larger than what another rounding may change."""
    numbers = values == values
    return bool(np.any(numbers & (np.abs(values) >= step) if step else numbers))


def leaves(name: str, old: Any, new: Any) -> Iterator[tuple[Array, Array]]:
    """The arrays of an output: itself, or those of a sequence, a map, an optional one that has a value."""
    if isinstance(old, dict) and isinstance(new, dict):
        old, new = [*old, *old.values()], [*new, *new.values()]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from leaves(name, one, other)
    elif type(old) is not type(new) or isinstance(old, list):
        raise PassError(f"it changed {name} to another kind of value")
    elif old is not None:
        yield np.asarray(old), np.asarray(new)


def difference(name: str, old: NDArray[Any], new: NDArray[Any], step: float) -> tuple[float, float, str]:
    """Relative and absolute difference of one output; that of texts and of NaN places is infinite.

    Args:
        step: what counts as no difference: the output is not told any finer.
    """
    if old.shape != new.shape:
        raise PassError(f"it changed the shape of {name} from {old.shape} to {new.shape}")
    if old.dtype.kind in "OSU" or new.dtype.kind in "OSU":
        gone = 0.0 if np.array_equal(old, new) else np.inf
        return gone, gone, name
    same = (old == new) | ((old != old) & (new != new))
    if same.all():
        return 0.0, 0.0, name
    a, b = old.astype(np.float64), new.astype(np.float64)
    least = float(old.dtype.kind in "iu" and new.dtype.kind in "iu")  # float64 mixes up the largest integers
    gap = np.zeros(old.shape)
    gap[~same] = np.maximum(np.abs(a[~same] - b[~same]), least)
    if not np.isfinite(gap).all():
        return np.inf, np.inf, name
    if gap.max() <= step:
        return 0.0, float(gap.max()), name
    scale = np.abs(a[np.isfinite(a)]).max(initial=0.0)
    return float(gap.max() / scale) if scale > 0 else np.inf, float(gap.max()), name


def furthest(found: Comparison) -> float:
    """The largest error of detections that are partners: pixels, score or mask probability."""
    return max(found.max_box_error_px, found.max_score_error, found.max_mask_error)


def changes(found: Sequence[Comparison]) -> tuple[float, str]:
    """What a pass made of the detections of all pictures: the largest error of those that stayed, and a line.

    Raises:
        GraphError: there is none before or after, or the outputs are no detections.
    """
    stayed = sum(one.matched for one in found)
    gone, new = sum(one.unmatched_before for one in found), sum(one.unmatched_after for one in found)
    exchanged = sum(one.excused for one in found)
    if not stayed + gone + new + exchanged:
        raise GraphError("nothing is detected")
    apart = [
        f"{max(getattr(one, name) for one in found):.3g}"
        for name in ("max_box_error_px", "max_score_error", "max_mask_error")
    ]
    what = "1 detection stays" if stayed == 1 else f"{stayed} detections stay"
    parts = [f"{what} within {apart[0]} px, score {apart[1]}, mask {apart[2]}"] if stayed else []
    counts = ((gone, "gone"), (new, "new"), (exchanged, "exchanged at the end of the list"))
    parts += [f"{count} {what}" for count, what in counts if count]
    return max(map(furthest, found)), ", ".join(parts)
