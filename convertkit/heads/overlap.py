"""Greedy non-maximum suppression in blocks, for whichever test of overlap there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.float32]
"""``(N, 5) float32``: x1 y1 x2 y2 area, in whichever unit the test works in."""

Indices: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

Test: TypeAlias = Callable[[Rows, Rows], Mask]
"""``(M, 5), (N, 5) -> (M, N) bool``: whether a better box suppresses a worse one."""

BLOCK = 128
"""Candidates looked at together; the result does not depend on it."""


def greedy(rows: Rows, suppresses: Test, limit: int) -> Indices:
    """The boxes that no better kept box suppresses, at most ``limit`` of them.

    Args:
        rows: ``(N, 5)``, best first.
        suppresses: the test of overlap.
        limit: stop after so many.

    Returns:
        ``(K,)`` indices into ``rows``, ascending.
    """
    kept = np.empty(0, np.intp)
    for start in range(0, len(rows), BLOCK):
        if len(kept) >= limit:
            break
        block = rows[start : start + BLOCK]
        free = ~suppresses(rows[kept], block).any(axis=0)
        indices = np.flatnonzero(free)
        kept = np.concatenate([kept, start + indices[_among(block[indices], suppresses)]])
    return kept[:limit]


def _among(rows: Rows, suppresses: Test) -> Indices:
    """What survives inside one block."""
    matrix = suppresses(rows, rows)
    alive = np.ones(len(rows), np.bool_)
    kept = []
    for index in range(len(rows)):
        if alive[index]:
            kept.append(index)
            alive &= ~matrix[index]
    return np.array(kept, np.intp)


def by_score(scores: NDArray[np.floating]) -> Indices:
    """Indices in descending order of score; equal scores keep their order, NaN comes last."""
    return np.argsort(-scores, kind="stable")
