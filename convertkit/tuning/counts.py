"""How many RoIs go through the heads of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from convertkit.graph.graph import open_graph
from convertkit.graph.shapes import annotate, static_shape
from convertkit.heads.nodes import head_of

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

ROI = "MultilevelRoiAlign"


@dataclass(frozen=True)
class Counts:
    """Of a picture; None where the graph has no such head, or the number is open.

    Attributes:
        proposals: RoIs that the first head pools, those of the box head.
        detections: RoIs that the last head pools, where there are several: those of the mask head.
    """

    proposals: int | None = None
    detections: int | None = None


def counts_of(model: LightModel, batch: int) -> Counts:
    """Of a target graph for ``batch`` pictures a run.

    Raises:
        GraphError: the graph contradicts itself.
    """
    graph = open_graph(model)
    annotate(graph)
    graph.surgeon.toposort()
    heads = [node for node in graph.nodes if head_of(node) == ROI]
    shapes = [static_shape(node.outputs[0]) for node in heads]
    found = [shape[0] // batch if shape else None for shape in shapes]
    if not found:
        return Counts()
    return Counts(found[0], found[-1] if len(found) > 1 else None)
