"""``fold-constants`` on ONNX's own test cases of every operator, with constants for inputs."""

from __future__ import annotations

import onnx
import pytest
from convertkit_passes.fold_constants import FoldConstants
from onnx import numpy_helper

from convertkit.errors import GraphError
from convertkit.graph.light import LightModel, attach, detach
from convertkit.graph.validate import validate
from tests.graphtext import apply
from tests.passes.node_cases import Feeds, node_cases, runs
from tests.passes.outputs import assert_same, outputs


def with_constants(model: LightModel, feeds: Feeds) -> LightModel:
    """The model with its inputs as initializers and its outputs written by Identity."""
    proto = attach(model)
    proto.graph.initializer.extend(numpy_helper.from_array(data, name) for name, data in feeds.items())
    del proto.graph.input[:]
    for value in proto.graph.output:
        for node in proto.graph.node:
            for names in (node.input, node.output):
                names[:] = [f"{name}_inner" if name == value.name else name for name in names]
        proto.graph.node.append(onnx.helper.make_node("Identity", [f"{value.name}_inner"], [value.name]))
    return detach(proto)


@pytest.mark.slow
def test_every_operator_gives_the_same() -> None:
    folded = 0
    for name, model, feeds in node_cases():
        if any(data.dtype.name in ("float16", "bfloat16", "object") for data in feeds.values()):
            continue  # in half precision onnxruntime rounds elsewhere as soon as anything around changes
        constant = with_constants(model, feeds)
        before = runs(constant, {})
        if before is None:
            continue

        result = apply(FoldConstants(), constant)

        folded += all(node.op_type == "Identity" for node in result.proto.graph.node)
        try:
            validate(result)
            assert_same(before, outputs(result, {}))
        except (GraphError, AssertionError) as error:
            raise AssertionError(f"{name}: {error}") from error
    assert folded > 500
