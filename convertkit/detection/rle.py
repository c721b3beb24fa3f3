"""COCO's compressed run lengths, many masks at a time.

A mask is read column by column; its counts are the lengths of the runs of 0 and 1 in turn, beginning with 0.
From the fourth count on the difference to the last but one is stored, in groups of five bits, low group first;
each byte is the group plus 32 when another one follows, plus 48.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_GROUPS = 7  # 35 bits: any run length of a picture below 16 gigapixels


def totals(texts: Sequence[bytes]) -> Counts:
    """How many pixels each compressed string accounts for, without decoding it: ``(len(texts),) int64``.

    The strings must be well formed. The run at position i > 0 of n is repeated in every second run after it, so
    that its stored difference weighs (n - i + 1) // 2.
    """
    data = np.frombuffer(b"".join(texts), np.uint8).astype(np.int64) - 48
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    last = (data & 32) == 0
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    place = np.arange(len(data)) - np.repeat(starts, np.diff(np.append(starts, len(data))))
    groups = (data & 31) << (5 * place)
    values = np.add.reduceat(groups, starts) if len(starts) else groups
    negative = (data[ends] & 16) != 0
    values = values - (negative.astype(np.int64) << (5 * (place[ends] + 1)))
    owners = owner[ends]
    number = np.bincount(owners, minlength=len(texts))
    index = np.arange(len(values)) - np.repeat(np.cumsum(number) - number, number)
    weight = np.where(index == 0, 1, (np.repeat(number, number) - index + 1) // 2)
    result = np.zeros(len(texts), np.int64)
    np.add.at(result, owners, values * weight)
    return result
