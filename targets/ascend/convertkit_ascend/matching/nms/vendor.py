"""BatchMultiClassNMS nodes that are in a graph already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import convertkit
from convertkit.heads import Refused, name_of
from convertkit_ascend.matching.nms.values import Node, Tensor
from convertkit_ascend.ops import BATCH_MULTI_CLASS_NMS, DOMAIN

CHANNELS = (1, 3, 4)
"""Of a picture."""


@dataclass(frozen=True)
class VendorNms:
    """One node, with the sizes of its inputs.

    Attributes:
        batch, count, shared, classes: B, N, q and C of boxes ``(B, N, q, 4)`` and scores ``(B, N, C)``.
    """

    node: Node
    batch: int
    count: int
    shared: int
    classes: int

    @property
    def where(self) -> str:
        """For findings."""
        return name_of(self.node)

    @property
    def boxes(self) -> Tensor:
        return self.node.inputs[0]

    @property
    def scores(self) -> Tensor:
        return self.node.inputs[1]


def nodes(graph: convertkit.Graph) -> Iterator[VendorNms]:
    """The nodes whose sizes are known; the graph must be annotated, which tells their ranks."""
    for node in graph.find(BATCH_MULTI_CLASS_NMS.name, domain=DOMAIN):
        boxes, scores = (convertkit.static_shape(item) for item in node.inputs[:2])
        if boxes is not None and scores is not None:
            batch, count, shared, _ = boxes
            yield VendorNms(node, batch, count, shared, scores[2])


def unsized(graph: convertkit.Graph) -> Iterator[convertkit.Finding]:
    """The nodes whose sizes are not known."""
    for node in graph.find(BATCH_MULTI_CLASS_NMS.name, domain=DOMAIN):
        for item in node.inputs[:2]:
            if convertkit.static_shape(item) is None:
                yield Refused(f"{item.name} has no fixed size", item).finding(name_of(node))
                break


def proposes(nms: VendorNms) -> bool:
    """Whether its boxes are proposals: another NMS depends on them."""
    waiting, seen = list(nms.node.outputs), {id(item) for item in nms.node.outputs}
    while waiting:
        for node in waiting.pop().outputs:
            if node.op in (BATCH_MULTI_CLASS_NMS.name, "NonMaxSuppression"):
                return True
            new = [item for item in node.outputs if id(item) not in seen]
            seen.update(id(item) for item in new)
            waiting.extend(new)
    return False


def canvas(graph: convertkit.Graph) -> tuple[int, int]:
    """Width and height of the network input: the graph input ``(B, channels, H, W)``.

    Raises:
        Refused: there is none, or several of different sizes.
    """
    shapes = [convertkit.static_shape(item) for item in graph.inputs]
    images = [shape for shape in shapes if shape is not None and len(shape) == 4 and shape[1] in CHANNELS]
    sizes = {(shape[3], shape[2]) for shape in images}
    if len(sizes) != 1:
        raise Refused(
            f"the graph has {len(sizes)} image inputs of fixed size; one is needed to know the canvas"
        )
    return sizes.pop()
