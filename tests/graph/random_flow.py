"""Random graphs of Identity and Sum nodes, as edges between tensors: what dominators are asked about."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from onnx import TensorProto, helper

from convertkit.graph.light import LightModel, detach


@dataclass(frozen=True)
class Drawing:
    """A directed acyclic graph: ``sources[i]`` are the tensors that tensor ``i`` is the sum of.

    Tensors without sources are graph inputs, or initializers where ``constant`` has them; ``outputs`` are the graph's.
    """

    sources: tuple[tuple[int, ...], ...]
    constant: frozenset[int]
    outputs: tuple[int, ...]

    def model(self) -> LightModel:
        nodes = [
            helper.make_node("Sum", [f"t{i}" for i in sources], [f"t{number}"], name=f"n{number}")
            for number, sources in enumerate(self.sources)
            if sources
        ]
        free = [number for number, sources in enumerate(self.sources) if not sources]
        inputs = [_value(number) for number in free if number not in self.constant]
        weights = [
            helper.make_tensor(f"t{i}", TensorProto.FLOAT, [2], [i, 1]) for i in free if i in self.constant
        ]
        graph = helper.make_graph(nodes, "flow", inputs, [_value(number) for number in self.outputs], weights)
        return detach(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))

    @property
    def inputs(self) -> frozenset[int]:
        return frozenset(i for i, sources in enumerate(self.sources) if not sources) - self.constant

    def reached(
        self, start: frozenset[int], *, without: int | None = None, up: bool = False
    ) -> frozenset[int]:
        """What data from ``start`` gets to (``up``: what it comes from), not passing through ``without``."""
        found, waiting = set(), [item for item in start if item != without]
        while waiting:
            item = waiting.pop()
            if item in found:
                continue
            found.add(item)
            waiting += [
                other for other in (self.sources[item] if up else self._readers(item)) if other != without
            ]
        return frozenset(found)

    def live(self) -> frozenset[int]:
        """Tensors on some path from a graph input to a graph output."""
        return self.reached(self.inputs) & self.reached(frozenset(self.outputs), up=True)

    def _readers(self, item: int) -> list[int]:
        return [number for number, sources in enumerate(self.sources) if item in sources]


def _value(number: int) -> object:
    return helper.make_tensor_value_info(f"t{number}", TensorProto.FLOAT, [2])


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Up to a dozen tensors, one to three graph inputs, up to two initializers, one to three outputs."""
    inputs, constants = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    sources: list[tuple[int, ...]] = [()] * (inputs + constants)
    for number in range(len(sources), len(sources) + draw(st.integers(1, 8))):
        picked = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=3, unique=True))
        sources.append(tuple(picked))
    made = range(inputs + constants, len(sources))
    outputs = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
    return Drawing(tuple(sources), frozenset(range(inputs, inputs + constants)), tuple(outputs))
