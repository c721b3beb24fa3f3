"""COCO's compressed run lengths from strangers: do they describe a mask of the size they claim?

A mask is read column by column; its counts are the lengths of the runs of 0 and 1 in turn, beginning with 0.
From the fourth count on the difference to the last but one is stored, in groups of five bits, low group first;
each byte is the group plus 32 when another one follows, plus 48.
"""

from __future__ import annotations

from collections.abc import Sequence

import hotcoco.mask
import numpy as np
from numpy.typing import NDArray

from convertkit.detection.types import RLE

Counts = NDArray[np.int64]


def problems(masks: Sequence[RLE]) -> list[str | None]:
    """What is wrong with each mask, ``None`` where it is whole. The sizes are taken as they are given.

    The evaluator counts a damaged mask as an empty one and says nothing; C code that trusts it reads beyond
    its end. Many masks at a time cost little more than one.
    """
    try:
        hotcoco.mask.area([dict(mask) for mask in masks])
    except ValueError as error:
        return [f"not compressed run lengths ({error})"] if len(masks) == 1 else _one_by_one(masks)
    texts = [
        counts.encode() if isinstance(counts, str) else counts for counts in (m["counts"] for m in masks)
    ]
    if any((text[-1] - 48) & 32 for text in texts if text):
        return ["the run lengths end in the middle of a number"] if len(masks) == 1 else _one_by_one(masks)
    pixels = [mask["size"][0] * mask["size"][1] for mask in masks]
    return [
        None if total == expected else f"run lengths cover {total} pixels of {expected}"
        for total, expected in zip(totals(texts).tolist(), pixels, strict=True)
    ]


def _one_by_one(masks: Sequence[RLE]) -> list[str | None]:
    return [problem for mask in masks for problem in problems([mask])]


def totals(texts: Sequence[bytes]) -> Counts:
    """How many pixels each compressed string accounts for, without decoding it: ``(len(texts),) int64``.

    The strings must be well formed. The run at position i > 0 of n is repeated in every second run after it, so
    that its stored difference weighs (n - i + 1) // 2.
    """
    data = np.frombuffer(b"".join(texts), np.uint8).astype(np.int64) - 48
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    ends = np.flatnonzero((data & 32) == 0)
    if len(ends) == 0:
        return np.zeros(len(texts), np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    data, owner = data[: ends[-1] + 1], owner[ends]
    place = np.arange(len(data)) - np.repeat(starts, lengths)
    values = np.add.reduceat((data & 31) << (5 * place), starts)
    values -= ((data[ends] >> 4) & 1) << (5 * lengths)
    number = np.bincount(owner, minlength=len(texts))
    index = np.arange(len(values)) - np.repeat(np.cumsum(number) - number, number)
    weight = np.where(index == 0, 1, (np.repeat(number, number) - index + 1) // 2)
    result = np.zeros(len(texts), np.int64)
    np.add.at(result, owner, values * weight)
    return result
