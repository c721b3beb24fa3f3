"""Nodes in an order in which every tensor is written before it is read: the parser needs none, inference does."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

import onnx

from convertkit.api import graphs


def in_order(nodes: Sequence[onnx.NodeProto]) -> tuple[list[onnx.NodeProto], list[onnx.NodeProto]]:
    """The nodes sorted, with as few moved as possible, and those that depend on each other in a circle."""
    writer = {name: place for place, node in enumerate(nodes) for name in node.output if name}
    before = [{writer[name] for name in _read(node) if name in writer} for node in nodes]
    after: dict[int, list[int]] = {}
    for place, needed in enumerate(before):
        for other in needed:
            after.setdefault(other, []).append(place)
    waiting = [len(needed) for needed in before]
    ready = [place for place, count in enumerate(waiting) if count == 0]
    heapq.heapify(ready)
    done: list[int] = []
    while ready:
        place = heapq.heappop(ready)
        done.append(place)
        for other in after.get(place, ()):
            waiting[other] -= 1
            if waiting[other] == 0:
                heapq.heappush(ready, other)
    circle = sorted(set(range(len(nodes))) - set(done))
    return [nodes[place] for place in done], [nodes[place] for place in circle]


def _read(node: onnx.NodeProto) -> Iterable[str]:
    """What a node reads, its subgraphs included."""
    yield from node.input
    for _, body in graphs.bodies(node):
        for inner in graphs.every_node(body):
            yield from inner.input
