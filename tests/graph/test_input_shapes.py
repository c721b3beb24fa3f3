"""Sizes of inputs as people write them, and the line that asks for those that a graph leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.errors import UsageError
from convertkit.graph.graph import open_graph
from convertkit.graph.input_shapes import Shapes, free_inputs, parse_shapes, remedy, split_shapes, texts_of
from tests.graphtext import parse

NAMES = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1)
SIZES = st.lists(st.just(-1) | st.integers(1, 10**18 - 1)).map(tuple)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x:1,3,640,640", {"x": (1, 3, 640, 640)}),
        (" x:1 ; a:0:-1, 4;", {"x": (1,), "a:0": (-1, 4)}),
        ("x:", {"x": ()}),
        ("a,b:2;c d:3", {"a,b": (2,), "c d": (3,)}),
    ],
)
def test_sizes_stand_after_the_last_colon(text: str, expected: Shapes) -> None:
    assert parse_shapes(split_shapes(text)) == expected


@pytest.mark.slow
@given(st.dictionaries(NAMES, SIZES, min_size=1))
def test_whatever_the_names_a_list_of_texts_says_it(shapes: Shapes) -> None:
    assert parse_shapes(texts_of(shapes)) == shapes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "--input-shape is empty"),
        (";", "--input-shape is empty"),
        ("x", "--input-shape 'x' is not NAME:SIZE,SIZE,..."),
        (":1", "--input-shape ':1' is not NAME:SIZE,SIZE,..."),
        ("x:a", "'a' is no size (sizes are whole numbers from 1; -1 leaves one open)"),
        ("x:N,3", "'N' is no size"),
        ("x:1,,2", "'' is no size"),
        ("x:-2", "'-2' is no size"),
        ("x:0", "'0' is no size"),
        ("x:1_0", "'1_0' is no size"),
        ("x:+1", "'+1' is no size"),
        ("x:1.5", "'1.5' is no size"),
        ("x:\u0661", "is no size"),
        (f"x:1{'0' * 30}", "is no size"),
        ("x:1;x:2", "--input-shape names 'x' twice"),
    ],
)
def test_what_is_no_size_is_refused_in_one_line(text: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_shapes(split_shapes(text))

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ("float[2] x", ""),
        ("float x", ""),
        ("float[n] x", 'axis 0 (n) of x is open: --input-shape "x:N"'),
        ("float[b, 3, h, 64] x", 'axes 0 (b), 2 (h) of x are open: --input-shape "x:N,3,N,64"'),
        (
            "float[n, 4] a, float[2] x, int64[k] b",
            'axis 0 (n) of a is open; axis 0 (k) of b is open: --input-shape "a:N,4;b:N"',
        ),
    ],
)
def test_the_line_that_asks_has_what_the_graph_states(inputs: str, line: str) -> None:
    name = inputs.split(",")[-1].split()[-1]
    model = parse(f"({inputs}) => (float[m] y) {{ y = Cast<to=1> ({name}) }}")

    assert remedy(free_inputs(model.proto.graph)) == line
    assert remedy(open_graph(model).inputs) == line


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("a:0", '--input-shape "a:0:N"'),
        ("a b", '--input-shape "a b:N"'),
        ("a$b", "--input-shape 'a$b:N'"),
        ("a;b", 'set-input-shape{shapes=["a;b:N"]} in front of the other passes'),
    ],
)
def test_the_line_that_asks_can_be_pasted_whatever_the_name(name: str, option: str) -> None:
    model = parse("(float[n] x) => (float[n] y) { y = Relu (x) }")
    model.proto.graph.input[0].name = name

    assert remedy(free_inputs(model.proto.graph)).endswith(f": {option}")


def test_sizes_without_a_name_and_zeros_are_open_too() -> None:
    model = parse("(float[a, b, c] x) => (float[a] y) { y = Relu (x) }")
    first, second, third = model.proto.graph.input[0].type.tensor_type.shape.dim
    first.ClearField("dim_param")
    second.dim_value, third.dim_value = 0, -1

    assert remedy(free_inputs(model.proto.graph)) == 'axes 0, 1, 2 of x are open: --input-shape "x:N,N,N"'
