"""Levels of a feature pyramid as classes of BatchMultiClassNMS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import convertkit
from convertkit.heads import Refused
from convertkit_ascend.matching.nms.levels import Levels, levels, makes_rois
from convertkit_ascend.matching.nms.shapes import annotated
from convertkit_ascend.matching.nms.values import Tensor
from convertkit_ascend.matching.nms.vendor import VendorNms, nodes
from convertkit_ascend.matching.nms.views import View


def restore(graph: convertkit.Graph) -> tuple[convertkit.Finding, ...]:
    """Rewrites every NMS of proposals whose levels are known; a finding for each."""
    with annotated(graph):
        return tuple(_restore(graph, item) for item in list(nodes(graph)) if makes_rois(item))


def _restore(graph: convertkit.Graph, nms: VendorNms) -> convertkit.Finding:
    try:
        found = levels(nms)
    except Refused as refused:
        return refused.finding(nms.where)
    finding = convertkit.Finding("matched", nms.where, found.why, str(nms.boxes.name))
    _write(graph, found)
    return finding


def _write(graph: convertkit.Graph, found: Levels) -> None:
    node, longest = found.nms.node, max(found.sizes)
    node.inputs[0] = _joined(graph, found, found.boxes, (1, 4))
    node.inputs[1] = _joined(graph, found, found.scores, (1,))
    node.attrs["max_size_per_class"] = min(node.attrs["max_size_per_class"], longest)


def _joined(graph: convertkit.Graph, found: Levels, parts: Sequence[Tensor], tail: tuple[int, ...]) -> Tensor:
    """``(B, n, *tail)`` of each level, padded to the longest and joined along the axis after n."""
    batch, longest = found.nms.batch, max(found.sizes)
    shaped = [
        _padded(graph, View((batch, size, *tail)).emit(graph, part), longest)
        for part, size in zip(parts, found.sizes, strict=True)
    ]
    shape = (batch, longest, len(parts), *tail[1:])
    return graph.add("Concat", shaped, attrs={"axis": 2}, dtype=parts[0].dtype, shape=shape)


def _padded(graph: convertkit.Graph, tensor: Tensor, longest: int) -> Tensor:
    """Zeros behind, up to ``longest`` (Pad's default value)."""
    batch, size, *tail = tensor.shape
    if size == longest:
        return tensor
    ends = [0] * len(tensor.shape) + [0, longest - size] + [0] * len(tail)
    pads = graph.constant(np.array(ends, np.int64), name="pads")
    return graph.add("Pad", [tensor, pads], dtype=tensor.dtype, shape=(batch, longest, *tail))
