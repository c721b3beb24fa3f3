"""Sizes that have become known are written down, and what was computed from them."""

from __future__ import annotations

import pytest
from convertkit_passes.heads.sizes import settle

from convertkit.graph.graph import open_graph
from tests import graphtext


def settled(text: str, opset: int = 11) -> str:
    graph = open_graph(graphtext.parse(text, opset=opset))
    settle(graph)
    return graphtext.show(graph.model())


def test_a_size_and_what_follows_from_it_become_one_constant() -> None:
    after = settled(
        """
        (float[2,3,5] x) => (float[2,15] y)
        <int64 first = {0}, int64[1] rest = {-1}, int64[1] zero = {0}>
        {
            sizes = Shape (x)
            count = Gather <axis = 0> (sizes, first)
            one = Unsqueeze <axes = [0]> (count)
            shape = Concat <axis = 0> (one, rest)
            y = Reshape (x, shape)
        }"""
    )

    assert after == graphtext.text(
        """
        (float[2,3,5] x) => (float[2,15] y)
        <int64[2] size_3 = {2, -1}>
        {
            y = Reshape (x, size_3)
        }"""
    )


def test_a_size_is_known_once_the_one_before_it_is() -> None:
    """The rank of ``r`` follows only from the constant that its shape has become."""
    after = settled(
        """
        (float[2,6] x, float[3,4] z) => (float[12] y)
        <int64[1] flat = {-1}, int64[1] zero = {0}>
        {
            sizes = Shape (z)
            r = Reshape (x, sizes)
            again = Shape (r)
            count = ReduceProd <keepdims = 1> (again)
            y = Reshape (r, count)
        }"""
    )

    assert [line.strip() for line in after.splitlines()[-4:]] == [
        "{",
        "r = Reshape (x, size)",
        "y = Reshape (r, size_2)",
        "}",
    ]


STAYS = """
        (float[2,6] x, float[3,N] z, int64[2] i) => (OUTPUT)
        <float two = {2.0}, float three = {3.0}, int64[2] k = {3, 4}>
        {
            NODE
        }"""


@pytest.mark.parametrize(
    ("output", "node"),
    [
        ("int64[2] y", "y = Shape (z)"),  # one size is open
        ("int64[2] y", "y = Add (i, k)"),  # an input has a part in it
        ("float y", "y = Add (two, three)"),  # not whole: a weight, perhaps a large one
        ("int64[1] y", "y = Shape <start = 1> (x)"),  # of opset 15
        ("float[1,6] a, float[1,6] y", "a, y = Split <axis = 0> (x)"),
        ("float[2] y", "y = RandomUniform <shape = [2]> ()"),
    ],
)
def test_what_is_no_size_stays(output: str, node: str) -> None:
    model = graphtext.parse(STAYS.replace("OUTPUT", output).replace("NODE", node), opset=15)
    graph = open_graph(model)

    settle(graph)

    assert [item.op for item in graph.nodes] == [item.op_type for item in model.proto.graph.node]


@pytest.mark.parametrize(
    ("kind", "node", "values"),
    [
        ("int64[2]", "y = Add (k, k)", "int64[2] size = {6, 8}"),
        ("bool[2]", "y = Equal (k, k)", "bool[2] size = {True, True}"),
        ("uint8[2]", "y = Cast <to = 2> (k)", "uint8[2] size = {3, 4}"),
        ("int64[2]", "a, b = TopK <axis = 0> (k, one) y = Concat <axis = 0> (b, b)", "TopK"),
        ("int64[1]", "y = Slice (k, zero, one)", "int64[1] size = {3}"),
    ],
)
def test_whole_numbers_that_follow_from_constants_are_written_down(kind: str, node: str, values: str) -> None:
    after = settled(
        f"""
        ({kind} x) => ({kind} y)
        <int64[2] k = {{3, 4}}, int64[1] one = {{1}}, int64[1] zero = {{0}}>
        {{
            {node.replace("y =", "z =")}
            y = {"Or" if kind == "bool[2]" else "Add"} (x, z)
        }}""",
        opset=14,
    )

    assert values in after
