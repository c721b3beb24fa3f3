"""Sizes for what a graph's inputs leave open: by name, by place, and from smaller to larger until they fit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

Sizes = dict[str, int]
"""Size by symbol; a size without a name is ``INPUT[AXIS]``."""

IMAGES = (64, 32, 128, 256, 224, 320, 512, 640, 384, 416, 448, 299, 800, 1024)
"""Height and width of an image, in the order they are tried; the first is tried with another width, too."""

CHANNELS = (1, 3, 4)
"""Of an image."""

FEW = (4, 2, 8, 16, 100)
"""Boxes, RoIs, words."""

LARGEST_TABLE, TABLES = 4096, 16
"""Sizes of constants up to this are tried for what has to fit one (a table of positions), and how many of them."""

_BATCH = re.compile(r"n|b|bs|.*batch.*|num_?images?", re.IGNORECASE)
_TALL = re.compile(r"h\d*|.*height.*|.*_h\d*", re.IGNORECASE)
_WIDE = re.compile(r"w\d*|.*width.*|.*_w\d*", re.IGNORECASE)
_COUNT = re.compile(r"k|.*(?:num|box|roi|count|len|seq|word|token|prior|anchor|det).*", re.IGNORECASE)


def symbol(value: onnx.ValueInfoProto, axis: int) -> str:
    """What an open size is called; empty where the size is stated."""
    dim = value.type.tensor_type.shape.dim[axis]
    return "" if dim.dim_value > 0 else dim.dim_param or f"{value.name}[{axis}]"


def candidates(graph: onnx.GraphProto, inputs: list[onnx.ValueInfoProto]) -> Iterator[Sizes]:
    """Sizes for all that is open, the likeliest first; one empty answer where nothing is."""
    kinds = _kinds(inputs)
    if not kinds:
        yield {}
        return
    seen: list[Sizes] = []
    for sizes in chain(_by_kind(kinds), _tables(graph, kinds), _uniform(kinds)):
        if sizes not in seen:
            seen.append(sizes)
            yield sizes


def _by_kind(kinds: Mapping[str, str]) -> Iterator[Sizes]:
    first = IMAGES[0]
    yield _sized(kinds, first, first * 3 // 2, FEW[0])  # other sizes tell rows from columns
    for side in IMAGES:
        yield _sized(kinds, side, side, FEW[0])
    for side in (256, 1024):  # a pyramid: every further input half as large, or twice
        for step in (-1, 1):
            yield _pyramid(kinds, side, step)
    for count in FEW[1:]:
        yield _sized(kinds, first, first, count)
    yield {
        **_sized(kinds, first, first, FEW[0]),
        **{name: 2 for name, kind in kinds.items() if kind == "batch"},
    }


def _uniform(kinds: Mapping[str, str]) -> Iterator[Sizes]:
    return (dict.fromkeys(kinds, size) for size in (32, 2, 1))  # 1 tells least: it fits everything


def _tables(graph: onnx.GraphProto, kinds: Mapping[str, str]) -> Iterator[Sizes]:
    """What is counted, or a side of an image, may have to fit a constant."""
    found = {size for tensor in graph.initializer for size in tensor.dims if 1 < size <= LARGEST_TABLE}
    roots = {math.isqrt(size) for size in found if math.isqrt(size) ** 2 == size}
    for size in sorted(found | roots)[:TABLES]:
        yield _sized(kinds, size, size, size)


def _sized(kinds: Mapping[str, str], tall: int, wide: int, count: int) -> Sizes:
    sizes = {"batch": 1, "channels": 3, "tall": tall, "wide": wide, "count": count}
    return {name: sizes[kind] for name, kind in kinds.items()}


def _pyramid(kinds: Mapping[str, str], side: int, step: int) -> Sizes:
    sizes = _sized(kinds, side, side, FEW[0])
    for kind in ("tall", "wide"):
        levels = [name for name, has in kinds.items() if has == kind]
        order = levels if step < 0 else levels[::-1]
        sizes.update({name: max(side >> level, 1) for level, name in enumerate(order)})
    return sizes


def _kinds(inputs: list[onnx.ValueInfoProto]) -> dict[str, str]:
    """What every open size is likely to be, in the order of the inputs."""
    found: dict[str, str] = {}
    for value in inputs:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for axis, place in enumerate(_places(dims)):
            name = symbol(value, axis)
            if name and name not in found:
                found[name] = _named(name) or place
    return found


def _named(name: str) -> str:
    patterns = ((_BATCH, "batch"), (_TALL, "tall"), (_WIDE, "wide"), (_COUNT, "count"))
    return next((kind for pattern, kind in patterns if "[" not in name and pattern.fullmatch(name)), "")


def _places(dims: list[int]) -> tuple[str, ...]:
    """What the axes of an input are, where nobody has named them: those of images for three and four."""
    image = ("tall", "wide", "channels") if dims[-1:] in ([1], [3], [4]) else ("channels", "tall", "wide")
    if len(dims) == 4:
        return ("batch", *image)
    if len(dims) == 3 and dims[image.index("channels")] > 0:
        return image
    return ("batch" if len(dims) > 2 else "count", *["count"] * (len(dims) - 1))[: len(dims)]
