"""Operations and bytes of single nodes, against figures worked out by hand."""

from __future__ import annotations

import pytest

from convertkit.estimation.operations import operations
from convertkit.estimation.rules import RULES
from tests.graphtext import parse


def cost_of(text: str, float_bytes: int = 2):
    """The cost of the last node of a graph."""
    node = list(operations(parse(text), float_bytes))[-1]
    return RULES[node.op](node.operation)


def test_conv_counts_two_per_product() -> None:
    cost = cost_of(
        "(float[1,4,10,12] x, float[6,4,3,3] w, float[6] b) => (float[1,6,5,6] y)"
        "{ y = Conv <kernel_shape = [3,3], strides = [2,2], pads = [1,1,1,1]> (x, w, b) }"
    )

    assert cost.unit == "matrix"
    assert cost.operations == 2 * (6 * 5 * 6) * (4 * 3 * 3)
    assert cost.reads == 2 * (4 * 10 * 12 + 6 * 4 * 3 * 3 + 6)
    assert cost.writes == 2 * 6 * 5 * 6


def test_grouped_conv_sums_over_its_group_only() -> None:
    cost = cost_of(
        "(float[1,4,8,8] x, float[8,1,3,3] w) => (float[1,8,6,6] y) { y = Conv <group = 4> (x, w) }"
    )

    assert cost.operations == 2 * (8 * 6 * 6) * 9


def test_conv_transpose_counts_every_input_with_every_weight() -> None:
    cost = cost_of(
        "(float[1,4,7,7] x, float[4,5,2,2] w) => (float[1,5,14,14] y)"
        "{ y = ConvTranspose <strides = [2,2]> (x, w) }"
    )

    assert cost.operations == 2 * (4 * 7 * 7) * (5 * 2 * 2)


@pytest.mark.parametrize(
    ("text", "products"),
    [
        ("(float[3,5] a, float[5,7] b) => (float[3,7] y) { y = Gemm(a, b) }", 3 * 5 * 7),
        ("(float[5,3] a, float[7,5] b) => (float[3,7] y) { y = Gemm <transA = 1, transB = 1> (a, b) }", 3 * 5 * 7),
        ("(float[2,3,5] a, float[2,5,7] b) => (float[2,3,7] y) { y = MatMul(a, b) }", 2 * 3 * 5 * 7),
        ("(float[2,3,5] a, float[5] b) => (float[2,3] y) { y = MatMul(a, b) }", 2 * 3 * 5),
    ],
)  # fmt: skip
def test_matrix_products(text: str, products: int) -> None:
    assert cost_of(text).operations == 2 * products


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(float[4,6] a, float[6] b) => (float[4,6] y) { y = Add(a, b) }", 24),
        ("(float[4,6] a) => (float[4,6] y) { y = Sigmoid(a) }", 4 * 24),
        ("(float[4,6] a) => (float[4,6] y) { y = Max(a, a, a) }", 2 * 24),
        ("(float[4,6] a) => (float[4,1] y) { y = ReduceMax <axes = [1]> (a) }", 24),
        (
            "(float[1,2,8,8] a) => (float[1,2,4,4] y) { y = MaxPool <kernel_shape = [3,3], strides = [2,2], pads = [1,1,0,0]> (a) }",  # noqa: E501
            2 * 4 * 4 * 9,
        ),
    ],
)
def test_vector_operations(text: str, count: int) -> None:
    cost = cost_of(text)

    assert (cost.unit, cost.operations) == ("vector", count)


def test_a_slice_reads_no_more_than_it_gives() -> None:
    cost = cost_of(
        "(float[100,6] a) => (float[10,6] y) <int64[1] s = {0}, int64[1] e = {10}> { y = Slice(a, s, e) }"
    )

    assert (cost.unit, cost.operations) == ("none", 0)
    assert cost.writes == 2 * 60
    assert cost.reads == 2 * 60 + 2 * 8


def test_a_view_costs_nothing() -> None:
    cost = cost_of("(float[4,6] a) => (float[24] y) <int64[1] s = {24}> { y = Reshape(a, s) }")

    assert (cost.operations, cost.bytes) == (0, 0)


def test_types_that_are_not_floating_keep_their_size() -> None:
    cost = cost_of("(int64[10] a) => (int32[10] y) { y = Cast <to = 6> (a) }")

    assert (cost.reads, cost.writes) == (80, 40)


def test_adaptive_sampling_counts_one_sample_and_says_so() -> None:
    text = (
        "(float[1,8,50,50] x, float[6,4] r, int64[6] b) => (float[6,8,7,7] y)"
        "{{ y = RoiAlign <output_height = 7, output_width = 7, sampling_ratio = {}> (x, r, b) }}"
    )

    adaptive, fixed = cost_of(text.format(0)), cost_of(text.format(2))

    assert adaptive.operations == 8 * (6 * 8 * 49)
    assert fixed.operations == 4 * adaptive.operations
    assert "sampling" in adaptive.left_out
    assert fixed.left_out == ""
    assert fixed.reads == 2 * 8 * 50 * 50 + 2 * 24 + 8 * 6  # the whole map: 4 samples of 4 places are more
