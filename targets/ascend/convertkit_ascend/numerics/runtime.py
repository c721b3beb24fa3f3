"""Running a graph with device numerics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from convertkit.api import graphs, targets
from convertkit_ascend.numerics.effects import Effects
from convertkit_ascend.numerics.keeping import kept_nodes
from convertkit_ascend.numerics.segments import Stretch, Vendor, segments
from convertkit_ascend.numerics.storage import compute_halves_in_float32, round_constants, round_results
from convertkit_ascend.ops.lowering import with_vendor_operators


@dataclass(frozen=True)
class DeviceNumerics:
    """A graph on the host with the chip's rounding; outputs come under their names, in graph order."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    steps: tuple[Stretch | Vendor, ...]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Runs once.

        Raises:
            GraphError: an input is missing.
        """
        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise targets.GraphError(
                f"input {missing[0]!r} is missing; the graph needs {', '.join(self.inputs)}"
            )
        values = {name: inputs[name] for name in self.inputs}
        for step in self.steps:
            values.update(step.run(values))
        return {name: values[name] for name in self.outputs}


def emulate(model: targets.LightModel, effects: Effects, keep: Collection[str] = ()) -> DeviceNumerics:
    """A runtime for any graph of standard ONNX and vendor operators.

    Args:
        keep: names of nodes that compute in fp32, whatever the effects round elsewhere.

    Raises:
        GraphError: onnxruntime does not take a stretch of it. UsageError: there is no such node to keep.
        UnavailableError: one that is to be kept has kernels for fp16 only.
    """
    graph = graphs.open_graph(with_vendor_operators(model))
    graphs.annotate(graph)
    kept = kept_nodes(graph, keep)
    compute_halves_in_float32(graph)
    if effects.weights:
        round_constants(graph, kept)
    if effects.activations:
        round_results(graph, kept)
        graphs.annotate(graph)
    semantics = {
        "RoiExtractor": "device" if effects.roi_extractor else "ideal",
        "BatchMultiClassNMS": "device" if effects.nms else "ideal",
    }
    steps = segments(graph, semantics)
    inputs = tuple(tensor.name for tensor in graph.inputs)
    return DeviceNumerics(inputs, tuple(tensor.name for tensor in graph.outputs), tuple(steps))
