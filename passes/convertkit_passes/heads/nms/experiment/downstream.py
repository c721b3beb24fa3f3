"""Which tensors below a NonMaxSuppression are made of its boxes and scores alone, and which the graph needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from convertkit.api import graphs, passes
from convertkit_passes.heads.nms.candidates.views import VIEWS
from convertkit_passes.heads.readers import below
from convertkit_passes.heads.types import Node, Tensor

MOST_VALUES = 5 * 1000
"""Of one image: boxes with scores of the most slots that are looked for."""

MOST_AXES = 4

SIZES = {
    **{op: {1} for op in ("Expand", "Reshape", "Tile", "TopK")},
    **{op: {0} for op in ("ConstantOfShape", "Loop")},
    "Pad": {1},
    "Range": {0, 1, 2},
    "Slice": {1, 2, 3, 4},
}
"""Operators that take sizes, or how many steps there are, and at which inputs."""

MOVES = VIEWS | {"Concat", "Slice", "Split"}
"""Operators whose result holds nothing but elements of their inputs, at places that do not depend on values."""


@dataclass(frozen=True)
class Downstream:
    """Tensors that depend on the selection and, beside constants, on nothing but the sources.

    Attributes:
        tensors: in the order of the graph.
        leak: what the selection itself depends on beside them, None where nothing.
    """

    tensors: tuple[Tensor, ...]
    leak: Tensor | None = None

    def worth_a_look(self, batch: int) -> tuple[Tensor, ...]:
        """Those that may be detections by their size."""
        return tuple(item for item in self.tensors if _small(item, batch))


def follow(graph: passes.Graph, selection: Tensor, sources: Sequence[Tensor]) -> Downstream:
    """Everything below ``selection`` that the sources determine."""
    live = {id(item) for item in below(graph.inputs)}
    known = {id(item) for item in sources}
    under = {id(selection)}
    found: list[Tensor] = []
    graph.surgeon.toposort()
    for node in graph.nodes:
        needs = [item for item in node.inputs if id(item) in live]
        if id(selection) in {id(item) for item in node.outputs}:
            leak = _missing(needs, known)
            if leak is not None:
                return Downstream((), leak)
        if not needs or _missing(needs, known) is not None or _subgraphs(node):
            continue
        known.update(id(item) for item in node.outputs)
        if any(id(item) in under for item in needs):
            under.update(id(item) for item in node.outputs)
            found.extend(item for item in node.outputs if not item.is_empty())
    return Downstream(tuple(found))


def read_off(downstream: Downstream, selection: Tensor, explained: Mapping[int, str]) -> set[int]:
    """The explained tensors at which the selection ends: what is computed from them needs it no more.

    A tensor behind those counts only where the operators between merely move values. Others may look like the
    identity on the boxes that were tried: a level's boxes times the mask of the level, when all are of that level.

    Args:
        explained: what each explained tensor is, by its id.
    """
    ends: set[int] = set()
    moved: set[int] = set()
    derived: set[int] = set()
    under = {id(selection), *(id(item) for item in downstream.tensors)}
    for tensor in downstream.tensors:
        node = tensor.inputs[0]
        needs = {id(item) for item in node.inputs} & under
        if not needs <= ends | moved | derived:
            ends |= {id(tensor)} & explained.keys()
        elif needs & derived or not _moves(node, explained.get(id(tensor))):
            derived.add(id(tensor))
        elif id(tensor) in explained:
            ends.add(id(tensor))
        else:
            moved.add(id(tensor))
    return ends


def _moves(node: Node, kind: str | None) -> bool:
    """Whether the node only moves values; a cast does so for classes."""
    if node.op == "Gather":
        return graphs.is_initializer(node.inputs[1])
    return node.op in MOVES or (node.op == "Cast" and kind == "classes")


def needed(graph: passes.Graph, explained: Collection[int]) -> tuple[list[Tensor], set[int]]:
    """What the graph outputs are computed from, walking up and not beyond explained tensors.

    Returns:
        the explained tensors met, in order, and the ids of all other tensors met.
    """
    met: set[int] = set()
    found: dict[int, Tensor] = {}
    waiting = list(graph.outputs)[::-1]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in explained:
            found.setdefault(id(tensor), tensor)
        elif id(tensor) not in met:
            met.add(id(tensor))
            waiting.extend(item for node in tensor.inputs for item in _inputs(node))
    return list(found.values()), met


def last_needed(graph: passes.Graph, downstream: Downstream, met: set[int]) -> Tensor | None:
    """The first tensor of the selection that something else, or a graph output, still needs."""
    under = {id(item) for item in downstream.tensors}
    outputs = {id(item) for item in graph.outputs}
    for tensor in downstream.tensors:
        others = (item for node in tensor.outputs for item in node.outputs if id(item) in met)
        if id(tensor) in met and (id(tensor) in outputs or any(id(item) not in under for item in others)):
            return tensor
    return None


def length_told(graph: passes.Graph, tensor: Tensor, counted: Collection[int]) -> Tensor | None:
    """A graph output that the size of ``tensor``, or of what follows from it, has a part in as a number.

    Args:
        counted: what is no longer computed so.
    """
    sizes = (
        item
        for under in below([tensor], counted)
        for node in under.outputs
        if node.op in ("Shape", "Size")
        for item in node.outputs
    )
    return next((found for item in sizes if (found := told(graph, item, counted)) is not None), None)


def told(graph: passes.Graph, tensor: Tensor, stops: Collection[int] = ()) -> Tensor | None:
    """The first graph output that a number has a part in otherwise than as the size of something, if any."""
    outputs = {id(item) for item in graph.outputs}
    return next((item for item in below([tensor], stops, _not_as_size) if id(item) in outputs), None)


def _not_as_size(taker: Node, tensor: Tensor) -> bool:
    places = {index for index, item in enumerate(taker.inputs) if item is tensor}
    return not places <= SIZES.get(taker.op, set())


def makes_sizes(graph: passes.Graph, tensor: Tensor, stops: Collection[int]) -> bool:
    """Whether a number has a part in the size of something that the graph needs once ``stops`` are replaced."""
    outputs = {id(item) for item in graph.outputs}
    sized = (
        item
        for under in below([tensor], stops)
        for node in under.outputs
        if any(item is under and index in SIZES.get(node.op, ()) for index, item in enumerate(node.inputs))
        for item in node.outputs
    )
    return any(id(item) in outputs for start in sized for item in below([start], stops))


def _missing(needs: list[Tensor], known: set[int]) -> Tensor | None:
    return next((item for item in needs if id(item) not in known), None)


def _small(tensor: Tensor, batch: int) -> bool:
    shape = tensor.shape
    if shape is None:
        return True
    size = 1
    for item in shape:
        size *= item if isinstance(item, int) else 1
    return len(shape) <= MOST_AXES and size <= MOST_VALUES * batch


def _inputs(node: Node) -> Iterator[Tensor]:
    """What a node reads, bodies of its subgraphs included."""
    yield from node.inputs
    for body in _subgraphs(node):
        yield from body.outputs
        for inner in body.nodes:
            yield from _inputs(inner)


def _subgraphs(node: Node) -> list[passes.Graph]:
    return [item for item in node.attrs.values() if hasattr(item, "nodes")]
