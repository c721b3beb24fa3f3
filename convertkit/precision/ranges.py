"""How large every tensor of a graph gets on photos, and what fp16 would leave of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from msgspec import Struct
from numpy.typing import NDArray

from convertkit.graph.domains import lowered
from convertkit.graph.nested import nodes_inside
from convertkit.graph.session import Arrays
from convertkit.graph.shapes import inferred
from convertkit.precision.coordinates import coordinates
from convertkit.precision.extent import Extent
from convertkit.precision.half import LARGEST, SMALLEST, spacing
from convertkit.precision.stretches import Stretches
from convertkit.storage.files import canonical_json, sha256_bytes, tree_digest

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

FLOAT = onnx.TensorProto.FLOAT


class TensorRange(Struct, frozen=True):
    """One tensor, in fp32, over all photos.

    Attributes:
        name: of the tensor.
        node, op: that make it; of a weight, that take it first; empty for an input of the graph.
        origin: of that node: a pass or a module of the framework's model.
        kind: ``input``, ``weight`` or ``result``.
        largest: magnitude; null where a value is infinite or NaN.
        values: how many there were.
        overflow: share of the values that are infinite in fp16, or NaN, 0..1.
        underflow: share of the values that are not zero, but zero in fp16, 0..1.
        spacing_px: of a tensor that holds coordinates: how far apart fp16 numbers are at ``largest``, in pixels of the
            network input; null where fp16 does not reach that far.
    """

    name: str
    node: str
    op: str
    origin: str
    kind: str
    largest: float | None
    values: int
    overflow: float
    underflow: float
    spacing_px: float | None = None
    coordinates: bool = False

    @property
    def severity(self) -> float:
        """What the tensors are ordered by: 1 is the limit of fp16 reached, everything lost, or a pixel of spacing.

        Values that are lost count by how large the smallest number of fp16 is beside the largest value.
        """
        if self.largest is None:
            return math.inf
        apart = (math.inf if self.spacing_px is None else self.spacing_px) if self.coordinates else 0.0
        lost = self.underflow * min(1.0, SMALLEST / self.largest) if self.underflow else 0.0
        return max(self.largest / LARGEST, lost, apart)


class Ranges(Struct, frozen=True):
    """Of a graph on photos; ``tensors`` the worst first.

    Attributes:
        photos: how many.
        unknown: tensors of the graph whose type no inference tells, so that they were not measured.
        inside: nodes in branches, loops and other bodies, whose tensors are not measured.
        other: tensors that the graph itself has in float16 or float64, which are not measured.
    """

    photos: int
    tensors: tuple[TensorRange, ...]
    unknown: int = 0
    inside: int = 0
    other: int = 0

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """What was not measured, in words."""
        found = (
            (self.unknown, f"{self.unknown} tensors whose type no inference tells"),
            (self.inside, f"what {self.inside} nodes inside branches, loops and other bodies make"),
            (self.other, f"{self.other} tensors that the graph itself has in float16 or float64"),
        )
        return tuple(text for count, text in found if count)

    @property
    def overflowing(self) -> tuple[TensorRange, ...]:
        return tuple(one for one in self.tensors if one.overflow)


@dataclass
class Gauge:
    """Measures a graph; inputs are fed one run at a time, and nothing of a run is kept but four numbers a tensor.

    Args:
        model: in fp32, heads still in it; what they are lowered to is run, but only tensors of this graph are measured.
        origins: of its nodes, by name.

    Raises:
        GraphError: onnxruntime does not take the graph.
    """

    model: LightModel
    origins: Mapping[str, str]
    _found: dict[str, Extent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        standard = lowered(self.model)
        kinds = {value.name: value for value in _typed(standard)}
        own = [*(value.name for value in self.model.proto.graph.input), *_made(self.model.proto.graph)]
        have = {*(value.name for value in standard.proto.graph.input), *_made(standard.proto.graph)}
        weights = {tensor.name for tensor in self.model.proto.graph.initializer}
        names = [name for name in dict.fromkeys(own) if name in have and name not in weights]
        self._unknown = sum(name not in kinds for name in names)
        types = {name: kinds[name].type.tensor_type.elem_type for name in names if name in kinds}
        wanted = [name for name, kind in types.items() if kind == FLOAT]
        self._other = sum(
            kind in (onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE) for kind in types.values()
        )
        self._stretches = Stretches(standard, wanted, kinds)

    def feed(self, inputs: Arrays) -> None:
        """Runs the graph once more.

        Raises:
            GraphError: a node fails.
        """
        for values in self._stretches.run(inputs):
            for name, array in values.items():
                self._found[name] = self._found.get(name, Extent()) + Extent.of(array)

    def ranges(self, photos: int) -> Ranges:
        """Of everything it was fed with, which are so many photos."""
        graph = self.model.proto.graph
        shapes = {value.name: _shape(value) for value in _typed(self.model)}
        places = coordinates(graph, shapes)
        makers = {name: node for node in graph.node for name in node.output}
        takers = {name: node for node in reversed(graph.node) for name in node.input}
        found = [
            self._range(
                name, extent, makers.get(name), name in places, "result" if name in makers else "input"
            )
            for name, extent in self._found.items()
        ]
        found += [
            self._range(name, Extent.of(values), takers.get(name), name in places, "weight")
            for name, values in _weights(self.model)
        ]
        worst = tuple(sorted(found, key=lambda one: (not one.overflow, -one.severity)))
        return Ranges(photos, worst, self._unknown, nodes_inside(graph), self._other)

    def _range(
        self, name: str, extent: Extent, node: onnx.NodeProto | None, place: bool, kind: str
    ) -> TensorRange:
        far = spacing(extent.largest) if place else None
        share = 1 / max(extent.values, 1)
        return TensorRange(
            name,
            "" if node is None else node.name,
            "" if node is None else node.op_type,
            "" if node is None else self.origins.get(node.name, ""),
            kind,
            extent.largest if math.isfinite(extent.largest) else None,
            extent.values,
            extent.beyond * share,
            extent.lost * share,
            far if far is not None and math.isfinite(far) else None,
            place,
        )


def ranges_key(
    model: LightModel, origins: Mapping[str, str], photos: Sequence[str], around: Mapping[str, Any]
) -> str:
    """sha256 of all that the ranges of a graph depend on.

    Args:
        photos: sha256 of each.
        around: what makes inputs of a photo, and what lowers and runs the graph.
    """
    facts = {
        "kind": "ranges",
        "graph": model.digest(),
        "origins": dict(origins),
        "photos": list(photos),
        "around": dict(around),
        "product": tree_digest(Path(__file__).parents[1]),
    }
    return sha256_bytes(canonical_json(facts))


def _typed(model: LightModel) -> Iterator[onnx.ValueInfoProto]:
    graph = inferred(model, strict=False).graph
    yield from (*graph.input, *graph.value_info, *graph.output)


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in dims)


def _made(graph: onnx.GraphProto) -> list[str]:
    """Of the main graph's nodes; constants are weights."""
    return [name for node in graph.node if node.op_type != "Constant" for name in node.output if name]


def _weights(model: LightModel) -> Iterator[tuple[str, NDArray[Any]]]:
    graph = model.proto.graph
    constants = (node for node in graph.node if node.op_type == "Constant")
    for node in constants:
        for item in node.attribute:
            if item.name == "value" and item.t.data_type == FLOAT:
                yield node.output[0], onnx.numpy_helper.to_array(item.t)
            elif item.name in ("value_float", "value_floats"):
                values = list(item.floats) if item.name == "value_floats" else [item.f]
                yield node.output[0], np.array(values, np.float32)
    for tensor in graph.initializer:
        if tensor.data_type == FLOAT:
            yield tensor.name, model.array(tensor)
