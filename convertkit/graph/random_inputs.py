"""Reproducible random inputs for a graph nobody has sample data for."""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.domains import lowered
from convertkit.graph.input_shapes import free_inputs, remedy
from convertkit.graph.light import LightModel
from convertkit.graph.moves import makers, sources
from convertkit.graph.nested import every_node
from convertkit.graph.session import open_session
from convertkit.graph.sizes import Sizes, candidates, symbol

LARGEST = 1 << 30
"""Values of one input: sixteen photos of 4096 x 4096 and more."""

PATIENCE = 60.0
"""Seconds after which no further sizes are tried."""

SIDE = 256.0
"""Pixels: where random boxes begin, and how large they are at most."""

HINT = "give sample inputs with --inputs FILE.npz, or skip the numeric check with --no-check"

_BOXES = {"RoiAlign": 1, "NonMaxSuppression": 0, "MaxRoiPool": 1}
_BOX_NAME = re.compile(r"roi|box|proposal", re.IGNORECASE)


@dataclass(frozen=True)
class Sample:
    """Inputs by name, and the sizes that were guessed for what the graph leaves open."""

    arrays: dict[str, NDArray[Any]]
    sizes: Sizes

    @property
    def guessed(self) -> str:
        """The guesses in one line; empty where nothing was open."""
        return ", ".join(f"{name} = {size}" for name, size in self.sizes.items())


def random_inputs(model: LightModel, seed: int) -> dict[str, NDArray[Any]]:
    """The arrays of :func:`random_sample`."""
    return random_sample(model, seed).arrays


def random_sample(model: LightModel, seed: int) -> Sample:
    """One array per graph input on which the graph runs: floats are standard normal, boxes are boxes, integers small.

    Where sizes are open, or integers could be meant as positions, several are tried.

    Raises:
        GraphError: an input has no type or shape, a type without random values (sequences), or far too many; or the
            graph runs with none of the sizes tried.
    """
    inputs = _inputs(model.proto.graph)
    meanings = _Meanings(model.proto.graph, inputs)
    tries = candidates(model.proto.graph, inputs)
    if not meanings.integers and not any(_open(value) for value in inputs):
        return Sample(_drawn(inputs, {}, meanings, seed, 2), {})
    session, tried, reason, until = (
        open_session(lowered(model), optimize=False),
        0,
        "",
        time.monotonic() + PATIENCE,
    )
    sizes: Sizes = {}
    for sizes in tries:
        for top in (2, 1) if meanings.integers else (2,):
            try:
                arrays = _drawn(inputs, sizes, meanings, seed, top)
                session.run(arrays)
            except GraphError as error:
                tried, reason = tried + 1, reason or error.message
            else:
                return Sample(arrays, sizes)
        if time.monotonic() > until:
            break
    what = (
        f"with any of {tried} guesses for its open sizes {', '.join(sizes)}" if sizes else "on random inputs"
    )
    told = f"{remedy(inputs)}; or " if sizes else ""
    raise GraphError(f"the graph does not run {what}; first {reason}", hint=f"{told}{HINT}")


def _inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    inputs = free_inputs(graph)
    for value in inputs:
        if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            raise GraphError(f"input {value.name!r} has no tensor type and shape", hint=HINT)
    return inputs


def _open(value: onnx.ValueInfoProto) -> bool:
    return any(symbol(value, axis) for axis in range(len(value.type.tensor_type.shape.dim)))


def _dtype(value: onnx.ValueInfoProto) -> np.dtype[Any]:
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))


class _Meanings:
    """What inputs are used as: boxes, numbers of images, positions in a constant.

    Attributes:
        boxes: names of inputs that hold corners of boxes.
        images: names of integer inputs that say in which image a box lies.
        positions: how many values there are to choose from, of integer inputs that choose from a constant.
        integers: whether any input holds integers.
    """

    def __init__(self, graph: onnx.GraphProto, inputs: list[onnx.ValueInfoProto]) -> None:
        nodes = list(every_node(graph))
        self._makers = makers(graph)
        self.boxes = {value.name for value in inputs if _BOX_NAME.search(value.name)}
        self.images: set[str] = set()
        self.positions: dict[str, int] = defaultdict(lambda: LARGEST)
        self.integers = any(_dtype(value).kind in "iu" for value in inputs)
        sizes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        for node in nodes:
            if node.op_type in _BOXES:
                self.boxes |= sources(self._makers, node.input[_BOXES[node.op_type]])
            if node.op_type == "RoiAlign":
                self.images |= sources(self._makers, node.input[2])
            if node.op_type == "Gather" and node.input[0] in sizes:
                axis = next((item.i for item in node.attribute if item.name == "axis"), 0)
                for name in sources(self._makers, node.input[1]):
                    self.positions[name] = min(self.positions[name], sizes[node.input[0]][axis])


def _drawn(
    inputs: list[onnx.ValueInfoProto], sizes: Sizes, meanings: _Meanings, seed: int, top: int
) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return {value.name: _random(value, sizes, meanings, rng, top) for value in inputs}


def _random(
    value: onnx.ValueInfoProto, sizes: Sizes, meanings: _Meanings, rng: np.random.Generator, top: int
) -> NDArray[Any]:
    dims = value.type.tensor_type.shape.dim
    shape = tuple(sizes.get(symbol(value, axis), dim.dim_value) for axis, dim in enumerate(dims))
    dtype = _dtype(value)
    if math.prod(shape) > LARGEST:
        raise GraphError(f"input {value.name!r} has {math.prod(shape)} values, too many to try", hint=HINT)
    if dtype.kind == "f":
        corners = value.name in meanings.boxes and shape[-1:] in ((4,), (5,))
        return (_boxes(shape, rng) if corners else rng.standard_normal(shape)).astype(dtype)
    if dtype.kind == "b":
        mixed = rng.integers(0, 2, shape).astype(dtype)
        mixed.flat[:2] = (True, False)[: min(mixed.size, 2)]
        return mixed
    if dtype.kind in "iu":
        if value.name in meanings.images:
            return np.zeros(shape, dtype)
        known = meanings.positions.get(value.name, 256 if dtype == np.uint8 else 2)
        return rng.integers(0, min(known, 1000) if top > 1 else 1, shape).astype(dtype)
    raise GraphError(f"input {value.name!r} is of type {dtype}, which has no random values", hint=HINT)


def _boxes(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """Corners x1 y1 x2 y2 of boxes of all sizes; the number of their image, 0, before them in a row of five."""
    start = rng.uniform(0, SIDE, (*shape[:-1], 2))
    extent = np.exp(rng.uniform(np.log(8), np.log(SIDE), start.shape))
    images = np.zeros((*shape[:-1], shape[-1] - 4))
    return np.concatenate([images, start, start + extent], axis=-1)
