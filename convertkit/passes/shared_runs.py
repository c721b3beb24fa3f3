"""Graphs run one after the other that have most nodes in common: what they have in common runs once.

A pass changes a few nodes of a network whose backbone takes nearly all of the time. How a tensor is made says whether
it is another graph's, too (:mod:`convertkit.graph.making`); those at the border of what two graphs have in common are
kept, and the next graph is cut there. onnxruntime runs node by node as written, so a tensor has the same bits whatever
is cut off.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from convertkit.errors import GraphError
from convertkit.graph.domains import lowered
from convertkit.graph.light import LightModel
from convertkit.graph.making import Making
from convertkit.graph.session import Arrays, Session, open_session
from convertkit.passes.running import Outputs, Run, feeds_of

ROOM = 1 << 30
"""Bytes of values that are kept; the oldest go first."""


class SharedRuns:
    """Opens graphs as :func:`~convertkit.passes.running.open_on_host` does, with the same outputs to the last bit.

    Of two graphs that are opened before either runs, the first keeps what the second can use.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._latest: tuple[_Opened, ...] = ()
        self._kept: OrderedDict[bytes, NDArray[Any]] = OrderedDict()
        self._ran: set[bytes] = set()

    def __call__(self, model: LightModel) -> Run:
        opened = _Opened(lowered(model))
        self._latest = (*self._latest[-1:], opened)
        return lambda inputs: self._run(opened, inputs)

    def _run(self, opened: _Opened, inputs: Arrays) -> Outputs:
        feeds, made = opened.fed(inputs)
        others = (one.fed(inputs)[1] for one in self._latest if one is not opened)
        theirs = {digest for other in others for digest in other.values()}
        border = opened.border({name for name, digest in made.items() if digest in theirs})
        known = {name: self._kept[digest] for name, digest in made.items() if digest in self._kept}
        new = {name for name in opened.makes if made.get(name) not in self._ran}
        try:
            values = opened.run({**feeds, **known}, new, border)
        except (GraphError, MemoryError):  # the graph as it is, and what is wrong with it in its own words
            values = opened.run(feeds, opened.makes, ())
        self._ran.update(made.values())
        self._keep((made[name], values[name]) for name in border if _is_array(values.get(name)))
        return tuple(values[name] for name in opened.outputs)

    def _keep(self, values: Iterable[tuple[bytes, NDArray[Any]]]) -> None:
        for digest, value in values:
            self._kept[digest] = value
            self._kept.move_to_end(digest)
        while sum(value.nbytes for value in self._kept.values()) > self._room:
            self._kept.popitem(last=False)


@dataclass
class _Opened:
    """A graph in standard ONNX, of which parts can be run."""

    model: LightModel
    _session: tuple[object, Session] | None = None

    def __post_init__(self) -> None:
        self._making = Making.of(self.model)
        self._maker = {
            name: place for place, one in enumerate(self._making.nodes) for name in one.makes if name
        }
        self.makes = frozenset(self._maker)
        self.outputs = tuple(value.name for value in self.model.proto.graph.output)

    def fed(self, inputs: Arrays) -> tuple[Arrays, dict[str, bytes]]:
        """What a sample is for this graph, and how each tensor is made from it."""
        feeds = feeds_of([name for name, _ in self._making.inputs], inputs)
        return feeds, self._making.fed(feeds)

    def border(self, common: Collection[str]) -> set[str]:
        """Of what another graph has, too: what nodes of this one alone take, and outputs."""
        alone = (one for one in self._making.nodes if not all(name in common for name in one.makes))
        taken = {name for one in alone for name in one.takes}.union(self.outputs)
        return {name for name in taken & self.makes if name in common}

    def run(self, values: Arrays, new: Collection[str], wanted: Collection[str]) -> Arrays:
        """The outputs and what else is ``wanted``, beside ``values``: of inputs, and of tensors where the graph is cut.

        Nodes that make what is ``new`` run even where nothing needs them: whether they do is a part of the answer.
        """
        places, cuts = self._needed(values, [*self.outputs, *(name for name in self._maker if name in new)])
        made = {name for place in places for name in self._making.nodes[place].makes}
        outputs = [name for name in self.outputs if name in made or name not in self.makes]
        asked = [*dict.fromkeys((*outputs, *sorted(made.intersection(wanted))))] or sorted(made)[:1]
        if not asked:
            return values
        session = self._open(places, {name: values[name] for name in sorted(cuts - made)}, asked)
        return {**values, **session.run(values)}

    def _open(self, places: set[int], cuts: Arrays, asked: list[str]) -> Session:
        """Some of the nodes; it is the same for the next sample where that is cut at the same places."""
        key = (places, asked, [(name, value.dtype, value.shape) for name, value in cuts.items()])
        if self._session is None or self._session[0] != key:
            idle = {one.at for place, one in enumerate(self._making.nodes) if place not in places}
            self._session = key, open_session(_part(self.model, idle, cuts, asked), optimize=False)
        return self._session[1]

    def _needed(self, values: Arrays, names: list[str]) -> tuple[set[int], set[str]]:
        """Places of the nodes that make tensors out of ``values``, and those of these that nodes make."""
        places, cuts = set[int](), set[str]()
        while names:
            name = names.pop()
            place = self._maker.get(name)
            if name in values and place is not None:
                cuts.add(name)
            elif place is not None and place not in places:
                places.add(place)
                names.extend(self._making.nodes[place].takes)
        return places, cuts


def _is_array(value: object) -> bool:
    """Not a sequence, and of a type that numpy itself has."""
    return isinstance(value, np.ndarray) and value.dtype.isbuiltin == 1


def _part(model: LightModel, idle: Collection[int], cuts: Arrays, asked: list[str]) -> LightModel:
    """The graph without ``idle`` nodes, which takes and gives other tensors."""
    graph = model.proto.graph
    typed = {value.name: value for value in (*graph.value_info, *graph.output)}
    slim = onnx.ModelProto()
    slim.CopyFrom(model.proto)
    for items in (slim.graph.node, slim.graph.value_info, slim.graph.output):
        del items[:]
    slim.graph.node.extend(node for at, node in enumerate(graph.node) if at not in idle)
    slim.graph.value_info.extend(value for value in graph.value_info if value.name not in {*cuts, *asked})
    slim.graph.output.extend(typed.get(name, onnx.ValueInfoProto(name=name)) for name in asked)
    slim.graph.input.extend(
        onnx.helper.make_tensor_value_info(
            name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
        )
        for name, value in cuts.items()
    )
    return LightModel(slim, model.weights)
