"""Where graphs run while they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convertkit.api.graphs import load
from convertkit.api.passes import LightModel
from convertkit.api.targets import CompileContext, Target
from convertkit.bisection.place import Place, find_place
from convertkit.errors import GraphError, UnknownNameError
from convertkit.graph.session import open_session
from tests.bisection.broken import graph, sample
from tests.graphtext import parse


class Backwards:
    """Runs a graph and gives the outputs in another order, as a runtime may."""

    def __init__(self, model: LightModel, offset: float) -> None:
        self.session, self.offset = open_session(model), offset

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self.session.run(inputs)
        return {name: found[name] + self.offset for name in reversed(list(found))}


class Numerics:
    names = {"numerics": "off by one"}  # noqa: RUF012

    def emulate(self, model: LightModel, name: str, variation: str, context: CompileContext) -> Any:
        return Backwards(model, float(variation or 1))


class Chip(Target):
    """A chip that is off by one."""

    @property
    def emulator(self) -> Numerics:
        return Numerics()

    def compile(self, model: LightModel, directory: Path, context: CompileContext) -> None:
        (directory / "model.bin").write_bytes(b"compiled")

    def open(self, directory: Path) -> Any:
        assert (directory / "model.bin").read_bytes() == b"compiled"
        return Backwards(load(directory / "model.onnx"), 2)


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        (None, 0, ()),
        ("onnxruntime", 0, ()),
        ("numerics", 1, ("--target", "chip", "--runtime", "numerics")),
        ("numerics:5", 5, ("--target", "chip", "--runtime", "numerics:5")),
        ("target", 2, ("--target", "chip", "--runtime", "target")),
    ],
)
def test_outputs_come_in_graph_order_from_every_place(
    text: str | None, offset: float, words: tuple[str, ...]
) -> None:
    place = find_place(Chip("chip"), text)

    area, shifted = place.opener(graph())(sample())

    assert (area.shape, shifted.shape) == ((5, 1), (5, 4))
    boxes = sample()["boxes"]
    np.testing.assert_array_equal(
        shifted, np.maximum(boxes - np.array([1, 2, 1, 2], np.float32), 0) + np.float32(offset)
    )
    assert place.words == words


def test_a_runtime_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown runtime 'numeric' \(did you mean 'numerics'\?"):
        find_place(Chip("chip"), "numeric")


def test_renamed_inputs_are_found_by_their_order_and_missing_ones_named() -> None:
    renamed = parse("(float[2] data) => (float[2] y) { y = Neg (data) }")
    place = Place(Chip("chip"), "numerics")

    (found,) = place.opener(renamed)({"x": np.array([1, 2], np.float32)})

    np.testing.assert_array_equal(found, [0, -1])
    with pytest.raises(GraphError, match="input 'data' is missing"):
        place.opener(renamed)({})
