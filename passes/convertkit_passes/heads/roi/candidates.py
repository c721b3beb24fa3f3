"""Which RoiAlign nodes may be the levels of one extractor, and between which tensors.

The RoIs of all levels come from one tensor, their nearest common dominator; their results go into one tensor, a common
post-dominator of the shape of a single result. Everything in between is up to the exporter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convertkit.api import graphs, passes

MOST_EXITS = 4
"""Post-dominators that are tried one after another: the nearest may hold the RoIs in another order still."""

ROI_ALIGN = "RoiAlign"


@dataclass(frozen=True)
class Candidate:
    """RoiAlign nodes that share their RoIs and go into one tensor.

    Args:
        nodes: in the order of the graph.
        entries: tensors that all RoIs are made from, ``(K, 4)``, ``(K, 5)`` or of unknown columns, nearest first.
        exits: tensors that all results go into, ``(K, C, bins)``, nearest first.
        meeting: where the results first come together, whatever its shape; None where they do not.
    """

    nodes: tuple[Any, ...]
    entries: tuple[Any, ...]
    exits: tuple[Any, ...]
    meeting: Any


@dataclass(frozen=True)
class Group:
    """RoiAlign nodes whose RoIs come from one tensor.

    Args:
        source: that tensor; None where a node shares its RoIs with no other.
        nodes: in the order of the graph.
    """

    source: Any
    nodes: tuple[Any, ...]


def groups(graph: passes.Graph, flow: graphs.Flow) -> list[Group]:
    """All RoiAlign nodes that lead to an output, by the nearest tensor that their RoIs share with another's."""
    nodes = [node for node in graph.find(ROI_ALIGN) if _leads_on(flow, node)]
    chains = {id(node): _chain(flow, node.inputs[1]) for node in nodes}
    uses = Counter(id(tensor) for chain in chains.values() for tensor in chain)
    found: dict[int, Group] = {}
    for node in nodes:
        source = next((item for item in chains[id(node)] if uses[id(item)] > 1), None)
        key = id(node) if source is None else id(source)
        before = found.get(key, Group(source, ()))
        found[key] = Group(source, (*before.nodes, node))
    return list(found.values())


def candidates(flow: graphs.Flow, group: Group) -> Iterator[Candidate]:
    """What of a group goes into one tensor, the most nodes first; a smaller one may be part of a larger one."""
    ways = {id(node): _up(flow, node.outputs[0]) for node in group.nodes}
    tensors = {id(item): item for way in ways.values() for item in way}
    members: dict[tuple[int, ...], list[Any]] = {}
    for key, tensor in tensors.items():
        through = tuple(id(node) for node in group.nodes if any(id(item) == key for item in ways[id(node)]))
        members.setdefault(through, []).append(tensor)
    for through, meetings in sorted(members.items(), key=lambda item: -len(item[0])):
        if len(through) < 2:
            continue
        nodes = tuple(node for node in group.nodes if id(node) in through)
        order = [item for item in ways[through[0]] if any(item is other for other in meetings)]
        exits = [item for item in order if _may_be_result(item, nodes[0])][:MOST_EXITS]
        yield Candidate(nodes, _entries(flow, nodes), tuple(exits), order[0])


def result_shape(node: Any) -> list[Any]:
    """Channels and bins of a RoiAlign node."""
    shape = node.inputs[0].shape
    channels = shape[1] if shape is not None and len(shape) == 4 else None
    return [channels, int(node.attrs.get("output_height", 1)), int(node.attrs.get("output_width", 1))]


def _leads_on(flow: graphs.Flow, node: Any) -> bool:
    return not flow.is_constant(node.outputs[0]) and not flow.is_constant(node.inputs[1])


def _chain(flow: graphs.Flow, tensor: Any) -> list[Any]:
    return [tensor, *flow.dominators(tensor)]


def _up(flow: graphs.Flow, tensor: Any) -> list[Any]:
    return [tensor, *flow.postdominators(tensor)]


def _entries(flow: graphs.Flow, nodes: Sequence[Any]) -> tuple[Any, ...]:
    nearest = flow.dominator([node.inputs[1] for node in nodes])
    return () if nearest is None else tuple(filter(_may_be_rois, _chain(flow, nearest)))


def _may_be_rois(tensor: Any) -> bool:
    shape = tensor.shape
    if shape is None or len(shape) != 2 or tensor.dtype != np.float32:
        return False
    return shape[1] in (4, 5) or not isinstance(shape[1], int)


def _may_be_result(tensor: Any, node: Any) -> bool:
    """An unknown size may be anything."""
    if tensor.dtype is not None and tensor.dtype != np.float32:  # of a float64, == None is true
        return False
    shape, wanted = tensor.shape, result_shape(node)
    if shape is None:
        return True
    known = zip(shape[1:], wanted, strict=False)
    return len(shape) == 4 and all(a == b for a, b in known if isinstance(a, int) and isinstance(b, int))
