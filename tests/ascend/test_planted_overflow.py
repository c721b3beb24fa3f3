"""A tensor of mini's neck made too large for fp16: what the ranges name is kept, and the detections are back."""

from __future__ import annotations

import numpy as np
import pytest

from convertkit.api.commands.asking import request_of
from convertkit.conversion.engine import graph_after
from convertkit.conversion.store import Store
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from convertkit.precision.evaluating import Evaluator
from convertkit.precision.overflow import needed
from convertkit.precision.ranges import Gauge
from convertkit.verification.data import find_source
from convertkit.verification.profiled import Preparation
from tests.ascend.chip import CHIP

FACTOR = 2.0**16
"""A power of two: in fp32 the planted graph has the same bits."""


def planted(model: LightModel) -> tuple[LightModel, set[str]]:
    """A factor before and its inverse behind an Add of the neck, and the names of these nodes."""
    graph = open_graph(model)
    add = next(
        node for node in graph.nodes
        if node.op == "Add" and any(tensor.inputs and tensor.inputs[0].op == "Resize" for tensor in node.inputs)
    )  # fmt: skip
    names = {add.name}
    for place, tensor in enumerate(add.inputs):
        up = graph.constant(np.float32([FACTOR]), name="up")
        add.inputs[place] = graph.add("Mul", [tensor, up], dtype=tensor.dtype, shape=tensor.shape)
        names.add(add.inputs[place].inputs[0].name)
    result = add.outputs[0]
    readers = list(result.outputs)
    back = graph.add(
        "Mul",
        [result, graph.constant(np.float32([1 / FACTOR]), name="down")],
        dtype=result.dtype,
        shape=result.shape,
    )
    for reader in readers:
        for place, item in enumerate(reader.inputs):
            if item is result:
                reader.inputs[place] = back
    names.add(back.inputs[0].name)
    graph.surgeon.toposort()
    return graph.model(), names


@pytest.mark.slow
def test_what_overflows_is_named_and_keeping_it_brings_the_detections_back() -> None:
    request = request_of("maskrcnn", variant="mini", target=CHIP.name)
    model, names = planted(graph_after(request, len(request.pipeline.steps)))
    dataset = find_source(request.package, request.variant).open(2)
    settings = request.package.preprocess_spec(request.variant)
    prepare, gauge = Preparation(request.package, settings, [request.variant.spec.size]), Gauge(model, {})
    for image in dataset.images:
        gauge.feed(prepare(dataset.read(image))[0])
    evaluator = Evaluator(request, model, dataset, Store())

    found = needed(model, gauge.ranges(len(dataset.images)), CHIP.mixed.cannot_keep(model))
    lost, kept = evaluator.loss(()), evaluator.loss(tuple(found.keep))
    again = Evaluator(request, model, dataset, Store()).loss(tuple(found.keep))

    assert set(found.keep) == names and found.impossible == {}
    assert lost.estimate.value > 0.5 > 0.05 > kept.estimate.value
    assert again == kept
