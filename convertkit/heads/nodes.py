"""Places where a head is looked for, or is already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from convertkit.graph.constants import is_initializer
from convertkit.graph.domains import acts_as
from convertkit.graph.finding import Finding, OpenSize
from convertkit.graph.graph import Graph, Node, Tensor
from convertkit.graph.shapes import annotate, static_shape
from convertkit.graph.sizes import CHANNELS
from convertkit.heads.domain import HEADS, register_schemas

NMS = "MulticlassNms"


class Refused(Exception):
    """A place stays as it is.

    Attributes:
        why: one line for a finding.
        tensor: the name of the tensor to blame; empty where there is none.
        unsized: whether it is for a size that is not known.
    """

    def __init__(self, why: str, tensor: Any = None, *, unsized: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.unsized = unsized
        self.tensor = "" if tensor is None else str(getattr(tensor, "name", tensor))

    def finding(self, where: str) -> Finding:
        kind = OpenSize if self.unsized else Finding
        return kind("refused", where, self.why, self.tensor)


@dataclass(frozen=True)
class Nms:
    """One MulticlassNms, or a vendor's operator with the same inputs and outputs, with the sizes of its inputs.

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


def name_of(node: Node) -> str:
    """For findings: of a node without a name, that of its output."""
    return str(node.name or node.outputs[0].name)


def head_of(node: Node) -> str:
    """The head operator that a node is, or that a vendor has said its operator can be taken for; empty for others."""
    return str(node.op) if node.domain == HEADS else acts_as(node.domain or "", node.op)


def sized(graph: Graph) -> Iterator[Nms]:
    """Every NMS whose sizes are known; the graph must be annotated, which tells their ranks."""
    for node in (node for node in graph.nodes if head_of(node) == NMS):
        boxes, scores = (static_shape(item) for item in node.inputs[:2])
        if boxes is not None and scores is not None:
            batch, count, shared, _ = boxes
            yield Nms(node, batch, count, shared, scores[2])


def unsized(graph: Graph) -> Iterator[Finding]:
    """A finding for every NMS whose sizes are not known."""
    for node in (node for node in graph.nodes if head_of(node) == NMS):
        for item in node.inputs[:2]:
            if static_shape(item) is None:
                yield Refused(f"{item.name} has no fixed size", item, unsized=True).finding(name_of(node))
                break


def canvas(graph: Graph) -> tuple[int, int]:
    """Width and height of the network input: the graph input ``(B, channels, H, W)``.

    Raises:
        Refused: there is none, or several of different sizes.
    """
    shapes = [static_shape(item) for item in graph.inputs]
    images = [shape for shape in shapes if shape is not None and len(shape) == 4 and shape[1] in CHANNELS]
    sizes = {(shape[3], shape[2]) for shape in images}
    if len(sizes) != 1:
        raise Refused(
            f"the graph has {len(sizes)} image inputs of fixed size; one is needed to know the canvas",
            unsized=not sizes,
        )
    return sizes.pop()


@contextmanager
def annotated(graph: Graph) -> Iterator[None]:
    """Annotates a graph that may get heads; afterwards its old tensors say what they said before."""
    tensors = [item for item in graph.surgeon.tensors().values() if not is_initializer(item)]
    before = [(item, item.dtype, item.shape) for item in tensors]
    register_schemas()
    try:
        annotate(graph)
        yield
    finally:
        for item, dtype, shape in before:
            item.dtype, item.shape = dtype, shape
