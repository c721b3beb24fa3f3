"""A graph run once, of which every tensor is seen: in stretches, so that memory holds one of them at a time.

onnxruntime keeps what it is asked for until the end. So the graph is cut, in the order of its nodes, wherever what a
stretch gives has reached a number of bytes; tensors that later stretches take travel in between, and go when the last
has had them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import onnx

from convertkit.graph.light import LightModel
from convertkit.graph.nested import captured
from convertkit.graph.session import Arrays, Session, open_session

Types = Mapping[str, onnx.ValueInfoProto]
"""Of tensors whose type is known, by name."""

ROOM = 128 << 20
"""Bytes of tensors that one stretch gives; more where a single node does."""


@dataclass(frozen=True)
class Stretch:
    """Nodes in a row: the tensors seen, and those that no later stretch takes."""

    session: Session
    seen: tuple[str, ...]
    done: tuple[str, ...]


@dataclass
class Stretches:
    """A graph in standard ONNX in parts.

    Args:
        model: its nodes in the order of data flow.
        wanted: tensors of its main graph that are to be seen.
        types: of all tensors where known; it is only cut where those that travel have one.

    Raises:
        GraphError: onnxruntime does not take a part.
    """

    model: LightModel
    wanted: Collection[str]
    types: Types
    room: int = ROOM
    parts: tuple[Stretch, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = tuple(self._parts())

    def run(self, inputs: Arrays) -> Iterator[Arrays]:
        """What is wanted, a part at a time, graph inputs first; a part is gone when the next is asked for.

        Raises:
            GraphError: an input is missing, or a node fails.
        """
        values = dict(inputs)
        yield {name: values[name] for name in self.wanted if name in values}
        for part in self.parts:
            values.update(part.session.run(values))
            yield {name: values[name] for name in part.seen}
            for name in part.done:
                values.pop(name, None)

    def _parts(self) -> Iterator[Stretch]:
        nodes = [node for node in self.model.proto.graph.node if node.op_type != "Constant"]
        constants = [node for node in self.model.proto.graph.node if node.op_type == "Constant"]
        last = {name: place for place, node in enumerate(nodes) for name in _takes(node)}
        start = 0
        for end in self._ends(nodes, last):
            inside = nodes[start:end]
            made = {name for node in inside for name in node.output if name}
            given = [name for node in inside for name in node.output if name in self.wanted]
            later = [name for node in inside for name in node.output if last.get(name, -1) >= end]
            asked = list(dict.fromkeys([*given, *later]))
            if asked:
                taken = [name for node in inside for name in _takes(node) if name not in made]
                session = open_session(self._part([*constants, *inside], taken, asked), hoard=False)
                done = [name for name in {*asked, *taken} if last.get(name, -1) < end]
                yield Stretch(session, tuple(given), tuple(done))
            start = end

    def _ends(self, nodes: list[onnx.NodeProto], last: Mapping[str, int]) -> Iterator[int]:
        """Where stretches end: behind the node that fills the room."""
        held, untyped = 0, set[str]()
        for place, node in enumerate(nodes):
            held += sum(bytes_of(self.types.get(name)) for name in node.output if name in self.wanted)
            untyped.update(name for name in node.output if name and not self._typed(name))
            travels = any(last.get(name, -1) > place for name in untyped)
            if place + 1 == len(nodes) or (held >= self.room and not travels):
                yield place + 1
                held = 0

    def _part(
        self, nodes: list[onnx.NodeProto], taken: Collection[str], asked: Collection[str]
    ) -> LightModel:
        made = onnx.ModelProto()
        made.CopyFrom(self.model.proto)
        graph = made.graph
        known = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
        known |= {name for node in nodes if node.op_type == "Constant" for name in node.output}
        used = {name for node in nodes for name in _takes(node)}
        inputs = [value for value in self.model.proto.graph.input if value.name in used]
        del graph.node[:], graph.output[:], graph.value_info[:], graph.input[:]
        graph.node.extend(nodes)
        graph.input.extend(inputs)
        graph.input.extend(self.types[name] for name in dict.fromkeys(taken) if name and name not in known)
        graph.output.extend(self.types.get(name, onnx.ValueInfoProto(name=name)) for name in asked)
        return LightModel(made, self.model.weights)

    def _typed(self, name: str) -> bool:
        return name in self.types and self.types[name].type.tensor_type.elem_type != 0


def bytes_of(value: onnx.ValueInfoProto | None) -> int:
    """Of a tensor of four bytes a value; an open size counts as 1, and no shape as one value."""
    dims = () if value is None else value.type.tensor_type.shape.dim
    return 4 * math.prod(max(dim.dim_value, 1) for dim in dims)


def _takes(node: onnx.NodeProto) -> list[str]:
    return [*filter(None, node.input), *sorted(captured(node))]
