"""Inputs of our own for files of other people: by the types and sizes onnxruntime reports, or by what a model sees."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Array = NDArray[np.generic]
Inputs = dict[str, Array]
Shape = Sequence[int]

SIZES = (2, 3, 8, 64, 1, 32, 160, 320, 16000)
"""Tried for what a file leaves open; what the original refuses tells nothing."""

BATCH = 3
"""The most that a first axis gets."""

MOST = 1 << 20
"""Values of an input: sizes that give more are left out."""

SEEDS = 3


def drawn(session: ort.InferenceSession) -> Iterator[Inputs]:
    """Inputs of every seed for all assignments of sizes; one assignment where none is open.

    What may be left out is given in every second one.
    """
    required, defaults = session.get_inputs(), session.get_overridable_initializers()
    for sizes in _assignments(session):
        shapes = {item.name: _shape(item, sizes) for item in (*required, *defaults)}
        if all(math.prod(shape) <= MOST for shape in shapes.values()):
            for seed in range(SEEDS):
                rng = np.random.default_rng([seed, *sizes.values()])
                items = [*required, *(defaults if seed % 2 else ())]
                yield {item.name: _values(dtype_of(item), shapes[item.name], rng, seed) for item in items}


def _assignments(session: ort.InferenceSession) -> Iterator[dict[str, int]]:
    """Sizes by symbol: all one size, every second half as large again, none of the first axis, none at all."""
    places: dict[str, int] = {}
    for item in session.get_inputs():
        for axis in range(len(item.shape)):
            if symbol := _symbol(item, axis):
                places.setdefault(symbol, axis if len(item.shape) > 1 else 1)
    if not places:
        yield {}
        return
    others = [symbol for symbol, axis in places.items() if axis]
    for size in SIZES:
        batch = {symbol: min(size, BATCH) for symbol, axis in places.items() if not axis}
        yield {**batch, **dict.fromkeys(others, size)}
        if len(others) > 1:
            yield {**batch, **{other: size + at % 2 * (size + 1) // 2 for at, other in enumerate(others)}}
    yield {symbol: 8 if axis else 0 for symbol, axis in places.items()}
    yield dict.fromkeys(places, 0)


def _symbol(item: ort.NodeArg, axis: int) -> str:
    """What an open size is called: one name is one size."""
    length = item.shape[axis]
    return "" if isinstance(length, int) else length or f"{item.name}[{axis}]"


def _shape(item: ort.NodeArg, sizes: Mapping[str, int]) -> list[int]:
    return [sizes.get(_symbol(item, axis), length) for axis, length in enumerate(item.shape)]


def dtype_of(item: ort.NodeArg) -> np.dtype[np.generic]:
    word = item.type.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64", "string": "object"}.get(word, word))


def _values(dtype: np.dtype[np.generic], shape: Shape, rng: np.random.Generator, seed: int) -> Array:
    if dtype.kind == "b":
        return np.asarray([rng.random(shape) < 0.5, np.zeros(shape), np.ones(shape)][seed % 3], bool)
    if dtype.kind in "iu":
        low, high = [(0, 3), (0, 2), (0, 10) if dtype.kind == "u" else (-2, 3)][seed % 3]
        return rng.integers(low, high, shape).astype(dtype)
    if dtype.kind == "O":
        return rng.choice(np.array(["monday", "tuesday", ""], object), shape)
    return (rng.standard_normal(shape) * 10.0 ** (seed - 1)).astype(dtype)


def images(name: str, low: float, high: float, *shapes: Shape) -> Iterator[Inputs]:
    """Rectangles, strokes and noise between two values, (N, C, H, W) float32; one plain image of each shape, too."""
    for shape in shapes:
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, *shape])
            values = _painted(shape, rng) if seed else np.full(shape, rng.random())
            yield {name: (low + (high - low) * values).astype(np.float32)}


def _painted(shape: Shape, rng: np.random.Generator) -> NDArray[np.float64]:
    values = np.broadcast_to(rng.random((*shape[:2], 1, 1)), shape).copy()
    for _ in range(24):
        top, left = (int(rng.integers(0, size)) for size in shape[2:])
        tall, wide = (int(rng.integers(1, max(size // 3, 2))) for size in shape[2:])
        thin = rng.random() < 0.5  # a stroke, as writing has them
        values[:, :, top : top + (2 if thin else tall), left : left + wide] = rng.random((*shape[:2], 1, 1))
    return np.clip(values + rng.normal(0, 0.02, shape), 0, 1)


def words(name: str, vocabulary: int, *shapes: Shape, dtype: str = "int64") -> Iterator[Inputs]:
    """Positions in a vocabulary, its first and its last among them."""
    for shape in shapes:
        for seed in range(SEEDS):
            values = np.random.default_rng([seed, *shape]).integers(0, vocabulary, shape)
            values.flat[:2] = (vocabulary - 1, 0)[: values.size]
            yield {name: values.astype(dtype)}


def sounds(name: str, *shapes: Shape, **others: Shape | int | float) -> Iterator[Inputs]:
    """Tones in noise, and silence; what else goes in is a state of that shape, or the number given."""
    for shape in shapes:
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, *shape])
            time = np.arange(math.prod(shape)).reshape(shape) / 16000
            tone = np.sin(2 * np.pi * rng.uniform(80, 400) * time) * 0.5 + rng.normal(0, 0.05, shape)
            inputs: Inputs = {name: (tone * (seed != 1)).astype(np.float32)}
            for other, given in others.items():
                inputs[other] = _state(given, shape[0], rng)
            yield inputs


def _state(given: Shape | int | float, batch: int, rng: np.random.Generator) -> Array:
    """A number as it is; a state of a shape, in which -1 stands for the batch."""
    if isinstance(given, int | float):
        return np.asarray(given, np.int64 if isinstance(given, int) else np.float32)
    return rng.standard_normal([batch if size < 0 else size for size in given]).astype(np.float32)


def every(*parts: Iterator[Inputs]) -> Iterator[Inputs]:
    return chain(*parts)
