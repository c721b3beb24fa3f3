"""The bound with fusion: chains, what they keep, and that it is never above the bound without."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api.targets import Figure, Fusion, Machine
from convertkit.estimation.fusion import chains
from convertkit.estimation.operations import operations
from convertkit.estimation.roofline import estimate
from tests.graphtext import parse

ELEMENTWISE = ("Add", "Relu", "Sigmoid", "Mul")

MACHINE = Machine(
    name="toy",
    matrix=Figure("cube", 1000.0, "made up"),
    vector=Figure("vector", 10.0, "made up"),
    memory=Figure("DDR", 100.0, "made up"),
    float_bytes=2,
    other_memory=(Figure("DDR", 200.0, "a rumour"),),
    fusions=(
        Fusion(("MatMul",), ELEMENTWISE, 2, "two behind a product"),
        Fusion(ELEMENTWISE, ELEMENTWISE, 27, "elementwise in a row"),
    ),
)

WEIGHTS = "<float[8,10] w = {" + ", ".join(["1"] * 80) + "}>"


def grouped(text: str) -> list[list[str]]:
    nodes = list(operations(parse(text), 2))
    return [[nodes[place].op for place in chain] for chain in chains(nodes, MACHINE.fusions)]


def test_a_chain_keeps_what_lies_between_its_nodes() -> None:
    model = parse(f"(float[4,8] x, float[4,10] r) => (float[4,10] y) {WEIGHTS} "
                  "{ p = MatMul(x, w) a = Add(p, r) y = Relu(a) }")  # fmt: skip

    found = estimate(model, MACHINE)

    assert found.fused is not None
    assert (found.fused.chains, found.fused.nodes) == (1, 3)
    bytes_ = 2 * (32 + 80 + 40 + 40)  # x, w, r, y
    assert found.fused.bytes == bytes_ == found.bytes - 2 * 2 * 80
    assert found.fused.seconds == pytest.approx(max(640 / 1000, 80 / 10, bytes_ / 100))
    assert found.fused.by_bound == {"vector": pytest.approx(8.0)}
    assert found.fused.with_memory == {"a rumour": pytest.approx(8.0)}
    assert estimate(model, replace(MACHINE, fusions=())).fused is None


@pytest.mark.parametrize(
    ("nodes", "wanted"),
    [
        ("p = MatMul(x, w) a = Relu(p) b = Relu(a) y = Relu(b)", [["MatMul", "Relu", "Relu"], ["Relu"]]),
        ("p = MatMul(x, w) a = Relu(p) b = Sigmoid(p) y = Mul(a, b)", [["MatMul"], ["Relu", "Mul"], ["Sigmoid"]]),
        ("p = MatMul(x, w) s = Softmax(p) y = Relu(s)", [["MatMul"], ["Softmax"], ["Relu"]]),
        ("p = MatMul(x, w) a = Add(p, p) y = Relu(a)", [["MatMul", "Add", "Relu"]]),
        ("p = MatMul(x, w) m = ReduceMax <axes = [0]> (p) a = Relu(m) y = Add(a, r)",
         [["MatMul"], ["ReduceMax"], ["Relu"], ["Add"]]),
    ],
)  # fmt: skip
def test_who_joins(nodes: str, wanted: list[list[str]]) -> None:
    assert grouped(f"(float[4,8] x, float[4,10] r) => (float[4,10] y) {WEIGHTS} {{ {nodes} }}") == wanted


def test_an_output_of_the_graph_is_written() -> None:
    text = f"(float[4,8] x) => (float[4,10] p, float[4,10] y) {WEIGHTS} {{ p = MatMul(x, w) y = Relu(p) }}"

    assert grouped(text) == [["MatMul"], ["Relu"]]


def test_a_chain_ends_at_the_rules_length() -> None:
    nodes = " ".join(f"t{place + 1} = Relu(t{place})" for place in range(30))
    found = grouped(f"(float[4] t0) => (float[4] t30) {{ {nodes} }}")

    assert [len(chain) for chain in found] == [28, 2]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(["Relu", "Sigmoid", "Add", "Mul", "Softmax"]), min_size=1, max_size=12),
    st.randoms(),
)
def test_fusion_is_never_slower(ops: list[str], random: object) -> None:
    pick = random.randrange  # type: ignore[attr-defined]
    nodes = ["t0 = MatMul(x, w)"]
    for op in ops:
        sources = [f"t{pick(len(nodes))}" for _ in range(2 if op in ("Add", "Mul") else 1)]
        nodes.append(f"t{len(nodes)} = {op}({', '.join(sources)})")
    text = f"(float[4,8] x) => (float[4,10] t{len(ops)}) {WEIGHTS} {{ {' '.join(nodes)} }}"

    found = estimate(parse(text), MACHINE)

    assert found.fused is not None
    assert found.least <= found.fused.seconds <= found.seconds * (1 + 1e-12)
    assert found.fused.bytes <= found.bytes
