"""A filter and the best of what it takes: the graph is run to see that this is what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates.climb import climb
from convertkit_passes.heads.nms.candidates.threshold import highest_dropped
from convertkit_passes.heads.types import Node, Tensor

Array: TypeAlias = NDArray[Any]

TIES = 16
"""So many different scores where many are to be equal."""


@dataclass(frozen=True)
class Gathered:
    """A tensor that has one row for each of the best.

    Attributes:
        source: ``(n, ...)``, what its rows are from; None where it is the place of each of the best in the scores.
    """

    tensor: Tensor
    source: Tensor | None


@dataclass(frozen=True)
class Best:
    """The best K of the scores above a threshold.

    Attributes:
        scores: ``(n,)``, static.
        node: the TopK.
        count: K.
        threshold: scores above it pass, strictly.
        gathered: everything that is taken by the places that the TopK gives.
    """

    scores: Tensor
    node: Node
    count: int
    threshold: float
    gathered: tuple[Gathered, ...]


def read(graph: passes.Graph, node: Node) -> Best:
    """What a TopK of open length takes.

    Raises:
        Refused: it is not the best of the scores above a threshold, or its places are used otherwise.
    """
    scores = climb(graph, node.inputs[0], past_offset=False).flat
    if len(scores.shape) != 1:
        raise Refused(f"{scores.name} has shape {tuple(scores.shape)}, wanted is one axis", scores)
    gathered = tuple(_gathered(graph, scores, item) for item in node.outputs[1].outputs)
    sources = [item.source for item in gathered if item.source is not None]
    try:
        outputs = [node.outputs[0], *(item.tensor for item in gathered)]
        region = graphs.cut(graph, outputs, [scores, *sources])
    except graphs.LeakError as leak:
        raise Refused("its filter depends on more than scores", leak.tensor) from leak
    return _measured(graph, region, scores, node, gathered)


def _gathered(graph: passes.Graph, scores: Tensor, taker: Node) -> Gathered:
    if taker.op != "Gather" or taker.attrs.get("axis", 0) != 0:
        raise Refused(f"{taker.op} {taker.name} uses places among filtered scores", taker.outputs[0])
    try:
        graphs.cut(graph, taker.outputs, [scores])
    except graphs.LeakError:
        source = climb(graph, taker.inputs[0], past_offset=False).flat
        if tuple(source.shape)[:1] != tuple(scores.shape):
            raise Refused(f"{source.name} does not have one row for each score", source) from None
        return Gathered(taker.outputs[0], source)
    return Gathered(taker.outputs[0], None)


def _measured(
    graph: passes.Graph, region: graphs.Region, scores: Tensor, node: Node, gathered: tuple[Gathered, ...]
) -> Best:
    random = np.random.default_rng(probes.SEED)
    size = int(scores.shape[0])
    rows = [random.random(tuple(item.shape), np.float32) * 64 for item in region.inputs[1:]]

    def run(values: Array) -> tuple[Array, ...]:
        try:
            return region.run(values, *rows)
        except passes.GraphError as error:
            raise Refused(f"its filter cannot be run on its own: {error.message}", scores) from error

    def kept(score: np.float32) -> bool:
        values = np.zeros(size, np.float32)
        values[size // 2] = score
        return bool((run(values)[0] == score).any())

    top = min(graphs.bounds(graph, scores).high, 1.0)
    threshold = highest_dropped(kept, top, scores)
    if threshold is None:
        raise Refused("its filter lets every score pass", scores)
    count = len(run(np.full(size, top, np.float32))[0])
    for values in _cases(random, size, threshold, top):
        places = np.flatnonzero(values > np.float32(threshold))
        places = places[np.argsort(-values[places], kind="stable")][:count]
        wanted = iter(
            item.astype(tensor.dtype)[places] for item, tensor in zip(rows, region.inputs[1:], strict=True)
        )
        expected = [values[places], *(places if item.source is None else next(wanted) for item in gathered)]
        if not all(np.array_equal(*pair) for pair in zip(run(values), expected, strict=True)):
            raise Refused(f"it is not the best {count} of the scores above {threshold:g}", node.outputs[0])
    return Best(scores, node, count, threshold, gathered)


def _cases(random: np.random.Generator, size: int, threshold: float, top: float) -> Iterator[Array]:
    """Scores of which none, few, most and all pass; and many that are equal."""
    span = np.float32(top) - np.float32(threshold)
    for above in (0, 1, size // 8, size - 1, size):
        values = np.float32(threshold) * random.random(size, np.float32)
        values[random.permutation(size)[:above]] = threshold + span * (random.permutation(above) + 1) / (
            above + 1
        )
        yield values.astype(np.float32)
    yield (random.integers(0, TIES, size) / TIES * top).astype(np.float32)
