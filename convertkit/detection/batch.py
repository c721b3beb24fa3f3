"""Several pictures in one run: their inputs as those of one graph, and its outputs as those of each picture.

A graph for B pictures has them along the first axis of every input and output: ``(B, 3, H, W)`` in, ``(B, N, 5)`` or,
picture by picture in one list, ``(B * N, 5)`` out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from convertkit.errors import GraphError

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")


def stacked(pictures: Sequence[Mapping[str, NDArray[Any]]], batch: int) -> dict[str, NDArray[Any]]:
    """The inputs of ``batch`` pictures, one after the other; where there are fewer, the last stands for the others."""
    if batch == 1:
        return dict(pictures[0])
    rows = [*pictures, *[pictures[-1]] * (batch - len(pictures))]
    return {name: np.concatenate([row[name] for row in rows]) for name in pictures[0]}


def apart(outputs: Mapping[str, NDArray[Any]], batch: int) -> list[dict[str, NDArray[Any]]]:
    """The outputs of each picture, ``batch`` equal parts along the first axis.

    Raises:
        GraphError: an output has no such parts.
    """
    if batch == 1:
        return [dict(outputs)]
    for name, array in outputs.items():
        if array.ndim == 0 or len(array) % batch:
            raise GraphError(f"output {name} {array.shape} is not that of {batch} pictures")
    parts = {name: np.split(array, batch) for name, array in outputs.items()}
    return [{name: parts[name][index] for name in outputs} for index in range(batch)]


def groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one of what is left."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
