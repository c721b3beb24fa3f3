"""A compiled model on OpenVINO's CPU plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from convertkit.api import graphs, targets
from convertkit_openvino.engine import DEVICE, asked, failing, openvino

MODEL = "model.xml"
"""The graph; its weights are in ``model.bin`` beside it."""


@dataclass(frozen=True)
class OpenvinoRuntime:
    """Runs one image at a time; inputs and outputs have the names of ``model.onnx``, in whose order the IR has them."""

    request: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Raises GraphError where an input is missing, TargetError where one does not fit."""
        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise targets.GraphError(
                f"input {missing[0]!r} is missing; the graph needs {', '.join(self.inputs)}"
            )
        with failing("run the graph"):
            found = self.request.infer({index: inputs[name] for index, name in enumerate(self.inputs)})
        return dict(zip(self.outputs, found.to_tuple(), strict=True))


def open_runtime(directory: Path, precision: str) -> OpenvinoRuntime:
    """The compiled model of an artifact, to be computed in ``f32`` or, where the processor can, in ``f16``."""
    core = openvino().Core()
    with failing(f"open {MODEL}"):
        compiled = core.compile_model(directory / MODEL, DEVICE, asked(precision))
    graph = graphs.load(directory / "model.onnx").proto.graph
    constant = {tensor.name for tensor in graph.initializer}
    inputs = tuple(value.name for value in graph.input if value.name not in constant)
    return OpenvinoRuntime(
        compiled.create_infer_request(), inputs, tuple(value.name for value in graph.output)
    )
