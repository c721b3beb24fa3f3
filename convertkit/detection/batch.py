"""Several pictures in one run: their inputs as those of one graph, and its outputs as those of each picture.

A graph for B pictures has them along the first axis of every input and output: ``(B, 3, H, W)`` in, ``(B, N, 5)`` or,
picture by picture in one list, ``(B * N, 5)`` out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from convertkit.errors import GraphError

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

PATIENCE = 8
"""How many times the pictures of a run may come in while the first of another run waits for its like."""


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


def kind_of(inputs: Mapping[str, NDArray[Any]]) -> Hashable:
    """What pictures have in common that one run can take: the names and shapes of their inputs, whatever the batch."""
    return frozenset((name, array.shape[1:]) for name, array in inputs.items())


def alike(items: Iterable[T], size: int, kind: Callable[[T], Hashable]) -> Iterator[list[tuple[int, T]]]:
    """Lists of ``size`` items of one kind, each with its number; a list that waits too long is given as it is.

    No item is overtaken by more than ``PATIENCE * size`` others; items of one kind come as in :func:`groups`.
    """
    waiting: dict[Hashable, list[tuple[int, T]]] = {}  # in the order of their first items
    for number, item in enumerate(items):
        waiting.setdefault(key := kind(item), []).append((number, item))
        if len(waiting[key]) == size:
            yield waiting.pop(key)
        if waiting and number - next(iter(waiting.values()))[0][0] >= PATIENCE * size:
            yield waiting.pop(next(iter(waiting)))
    yield from waiting.values()


def in_turn(items: Iterable[tuple[int, T]]) -> Iterator[T]:
    """Numbered items in the order of their numbers 0, 1, 2 ..., each as soon as all before it are there."""
    early: dict[int, T] = {}
    turn = 0
    for number, item in items:
        early[number] = item
        while turn in early:
            yield early.pop(turn)
            turn += 1
