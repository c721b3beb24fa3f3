"""Which weights a simplifier has to see."""

from __future__ import annotations

import pytest
from convertkit_passes.weights import needed_weights, share_equal_weights

from convertkit.graph.light import THRESHOLD, LightModel, detach
from tests.graphtext import parse

SIZE = THRESHOLD // 4


def model_of(nodes: str, *, weight: str = f"float[{SIZE},1,1,1] w") -> LightModel:
    values = ", ".join(["1.0"] * SIZE)
    return parse(
        f"""(float[1,1,9,9] x, bool c) => (float[N,M,K,L] y)
        <{weight} = {{{values}}}, float[{SIZE}] v = {{{values}}}, float[1] one = {{1.0}}>
        {{ {nodes} }}"""
    )


@pytest.mark.parametrize(
    "nodes",
    [
        "y = Conv (x, w)",
        "a = Conv (x, w) y = Relu (a)",
        "a = Conv (x, w) y = Add (a, x)",
        "a = Relu (x) b = Conv (a, w) y = Identity (b)",
    ],
)
def test_a_weight_that_only_multiplies_stays_behind(nodes: str) -> None:
    assert "w" not in needed_weights(model_of(nodes))


@pytest.mark.parametrize(
    "nodes",
    [
        "a = Conv (x, w) y = Mul (a, one)",
        "a = Conv (x, w) b = Identity (a) y = Add (b, one)",
        "a = Mul (x, one) y = Conv (a, w)",
        "a = Neg (w) y = Conv (x, a)",
        "y = Conv (w, x)",
        "a = Conv (x, w) y = BatchNormalization (a, v, v, v, v)",
        "y = If (c) <then_branch = t () => (float[N,M,K,L] p) { p = Conv (x, w) }, "
        "else_branch = e () => (float[N,M,K,L] q) { q = Identity (x) }>",
    ],
)
def test_a_weight_that_a_fold_could_read_travels(nodes: str) -> None:
    assert "w" in needed_weights(model_of(nodes))


def test_weights_of_several_products_of_one_input_travel() -> None:
    weight = f"float[{SIZE},1] w"

    assert "w" not in needed_weights(model_of("y = MatMul (x, w)", weight=weight))
    assert "w" in needed_weights(
        model_of("a = MatMul (x, w) b = MatMul (x, w) y = Add (a, b)", weight=weight)
    )


def test_equal_weights_become_one() -> None:
    model = model_of("a = Conv (x, w) y = Add (a, v)", weight=f"float[{SIZE}] w")
    proto = detach(model.proto, model.weights).proto

    share_equal_weights(proto)

    assert [tensor.name for tensor in proto.graph.initializer] == ["w", "one"]
    assert list(proto.graph.node[1].input) == ["a", "w"]
