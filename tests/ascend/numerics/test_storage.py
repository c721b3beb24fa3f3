"""fp16 storage of weights and activations in a graph that computes in fp32."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_ascend.numerics import Effects, emulate

from convertkit.api.errors import UnknownNameError
from convertkit.api.graphs import annotate
from convertkit.graph.graph import open_graph
from tests.graphtext import parse

GRAPH = """
(float[1,2] x) => (float[1,2] y)
<float[2,2] w = {0.1, 0.2, 0.3, 0.4}, float[2] b = {1.0, 2049.0}>
{
    product = MatMul(x, w)
    moved = Transpose <perm = [0, 1]>(product)
    y = Add(moved, b)
}
"""


def half(values):
    return np.asarray(values, np.float32).astype(np.float16).astype(np.float32)


def model():
    return parse(GRAPH)


X = np.array([[0.1, 3000.7]], np.float32)
W = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
B = np.array([1.0, 2049.0], np.float32)


def test_without_effects_nothing_changes():
    found = emulate(model(), Effects.parse("none")).run({"x": X})

    np.testing.assert_array_equal(found["y"], X @ W + B)


def test_weights_are_rounded_to_fp16_and_nothing_else():
    found = emulate(model(), Effects.parse("weights")).run({"x": X})

    np.testing.assert_array_equal(found["y"], X @ half(W) + half(B))


def test_activations_are_rounded_where_an_operator_computes():
    found = emulate(model(), Effects.parse("activations")).run({"x": X})

    np.testing.assert_array_equal(found["y"], half(half(half(X) @ W) + B))


def test_an_operator_that_only_moves_values_gets_no_casts():
    casts = [node for node in _proto(model()).graph.node if node.op_type == "Cast"]
    assert len(casts) == 6  # x, MatMul, Add: a pair each


def _proto(light):
    from convertkit_ascend.numerics.storage import round_results

    graph = open_graph(light)
    annotate(graph)
    round_results(graph)
    graph.tidy()
    return graph.model().proto


def test_the_rounded_graph_is_valid():
    onnx.checker.check_model(_proto(model()), full_check=True)


@pytest.mark.parametrize("text", ["all", ""])
def test_all_effects_are_on_by_default(text):
    assert Effects.parse(text) == Effects(True, True, True, True)


def test_effects_are_named_and_joined_by_plus():
    assert Effects.parse("weights+roi-extractor") == Effects(True, False, True, False)


def test_an_unknown_effect_points_to_the_nearest():
    with pytest.raises(UnknownNameError, match="activation"):
        Effects.parse("activation")
