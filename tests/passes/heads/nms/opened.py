"""A graph of a text, open and annotated, and its tensors by name."""

from __future__ import annotations

from typing import Any

from convertkit.api import graphs
from convertkit.api.passes import Graph
from convertkit.graph.graph import open_graph
from tests.graphtext import parse


def opened(text: str, *, opset: int = 11) -> Graph:
    graph = open_graph(parse(text, opset=opset))
    graphs.annotate(graph)
    return graph


def named(graph: Graph, *names: str) -> list[Any]:
    tensors = graph.surgeon.tensors()
    return [tensors[name] for name in names]


DETECTIONS = """
    (float[1,12,4] boxes, float[1,2,12] logits) => (float[a,4] found, float[b] best, int64[c] kind, int64[1] num)
    <int64[1] most = {5}, float[1] iou = {0.5}, float score = {0.25}, float low = {0}, float high = {64},
     int64[1] zero = {0}, int64 one = {1}, int64 two = {2}, int64[1] all = {-1}, int64[1] total = {6},
     int64[2] ends = {0, 2}>
    {
        clipped = Clip (boxes, low, high)
        scores = Sigmoid (logits)
        selected = NonMaxSuppression (clipped, scores, most, iou, score)
        values = GatherND (scores, selected)
        count = Shape (values)
        both = Concat <axis = 0> (count, total)
        num = ReduceMin <axes = [0], keepdims = 1> (both)
        best, places = TopK (values, num)
        rows = Gather (selected, places)
        kind = Gather <axis = 1> (rows, one)
        box = Gather <axis = 1> (rows, two)
        flat = Squeeze <axes = [0]> (clipped)
        found = Gather (flat, box)
    }
"""
"""The best six of what an NMS of two classes selects, of open length, and their number."""
