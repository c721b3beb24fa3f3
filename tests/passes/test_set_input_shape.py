"""``set-input-shape``: what it makes of a graph, what it refuses, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from convertkit_passes.set_input_shape import SetInputShape
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from convertkit.errors import UsageError
from convertkit.graph.light import LightModel
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from convertkit.passes.explain import findings
from convertkit.passes.options import build, parse_step, step_text
from tests.conftest import Cli
from tests.graphtext import apply, parse, rewritten, text

HALVED = """(float[batch, 3, h, w] images) => (float[a, b, c, d] y, float[batch, n] z)
<int64[1] rest = {-1}, int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] four = {4},
 float[1] half = {2}, float[0] none = {}>
{
    r = Relu (images)
    s = Shape (r)
    sides = Slice (s, two, four)
    f = Cast <to = 1> (sides)
    halves = Div (f, half)
    whole = Floor (halves)
    i = Cast <to = 7> (whole)
    front = Slice (s, zero, two)
    sizes = Concat <axis = 0> (front, i)
    y = Resize (r, none, none, sizes)
    b = Slice (s, zero, one)
    target = Concat <axis = 0> (b, rest)
    z = Reshape (y, target)
}"""
"""Half as large, by arithmetic that onnx's shape inference does not follow (Div, Floor), and flattened."""


def shapes(model: LightModel) -> dict[str, tuple[int | str, ...]]:
    """Of inputs, outputs and what lies between, as the graph states them."""
    graph = model.proto.graph
    return {
        value.name: tuple(dim.dim_value or dim.dim_param or "?" for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
    }


def sized(*told: str) -> SetInputShape:
    return SetInputShape(told)


def test_a_symbol_is_one_number_everywhere_and_no_node_changes() -> None:
    before = """(float[n, 4] a, float[n, 4] b, float[k] c) => (float[n, 4] y, float[k] z, float[n] q)
    { y = Add (a, b)
      z = Relu (c)
      q = ReduceSum <axes = [1], keepdims = 0> (y) }"""

    assert rewritten(sized("a:8,4"), before) == text("""
        (float[8,4] a, float[8,4] b, float[k] c) => (float[8,4] y, float[k] z, float[8] q)
        {
            y = Add (a, b)
            z = Relu (c)
            q = ReduceSum <axes = [1], keepdims = 0> (y)
        }""")


def test_sizes_that_are_computed_become_static_too() -> None:
    after = apply(sized("images:2,3,16,24"), HALVED)

    known = shapes(after)
    assert (known["y"], known["z"], known["r"]) == ((2, 3, 8, 12), (2, 288), (2, 3, 16, 24))
    assert [node.op_type for node in after.proto.graph.node].count("Shape") == 1  # folding is left to others
    validate(after)


def test_minus_one_leaves_a_size_and_its_name() -> None:
    after = apply(sized("x:-1,3,-1,8"), "(float[b, 3, h, w] x) => (float[b, 3, h, w] y) { y = Relu (x) }")

    assert shapes(after) == {"x": ("b", 3, "h", 8), "y": ("b", 3, "h", 8)}


def test_what_the_graph_states_already_changes_nothing() -> None:
    model = parse("(float[2, 3] x) => (float[2, m] y) { y = Relu (x) }")

    assert apply(sized("x:2,3"), model) is model


def test_what_depends_on_data_stays_open() -> None:
    after = apply(sized("x:6"), "(float[n] x) => (int64[1, k] y) { y = NonZero (x) }")

    assert shapes(after)["y"] == (1, "k")


def test_what_the_file_says_of_other_sizes_is_forgotten() -> None:
    model = parse("(float[n, 4] x) => (float[1, 4] y) { a = Relu (x) y = Neg (a) }")
    stale = helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 4])
    model.proto.graph.value_info.append(stale)

    after = apply(sized("x:5,4"), model)

    assert shapes(after) == {"x": (5, 4), "a": (5, 4), "y": (5, 4)}


def test_computed_sizes_that_the_file_has_from_another_size_are_forgotten_too() -> None:
    model = parse(HALVED.replace("float[a, b, c, d] y", "float[1, 3, 320, 320] y"))
    for name, stale in (("r", [1, 3, 640, 640]), ("sizes", [4]), ("whole", [2])):
        kind = TensorProto.INT64 if name == "sizes" else TensorProto.FLOAT
        model.proto.graph.value_info.append(helper.make_tensor_value_info(name, kind, stale))

    after = apply(sized("images:2,3,16,24"), model)

    known = shapes(after)
    assert (known["y"], known["z"], known["r"]) == ((2, 3, 8, 12), (2, 288), (2, 3, 16, 24))


def test_what_only_the_file_knows_is_kept() -> None:
    model = parse(
        "(float[n, 4] x) => (float[n, 9] y) { a = vendor.Spread (x) y = Relu (a) }", domains=["vendor"]
    )
    model.proto.graph.value_info.append(helper.make_tensor_value_info("a", TensorProto.FLOAT, ["n", 9]))

    after = apply(sized("x:5,4"), model)

    assert shapes(after) == {"x": (5, 4), "a": (5, 9), "y": (5, 9)}


def test_branches_have_the_sizes_too() -> None:
    before = """(bool c, float[n, 4] x) => (float[n, 4] y) {
        y = If (c) <then_branch = yes () => (float[n, 4] a) { a = Relu (x) },
                    else_branch = no () => (float[n, 4] b) { b = Neg (x) }> }"""

    after = apply(sized("x:5,4"), before)

    branches = [
        attribute.g.output[0].type.tensor_type.shape for attribute in after.proto.graph.node[0].attribute
    ]
    assert [[dim.dim_value for dim in shape.dim] for shape in branches] == [[5, 4], [5, 4]]
    assert shapes(after)["y"] == (5, 4)
    validate(after)


@pytest.mark.parametrize("name", ["a:0", "a,b", "a;b", "a b", 'a"b', "größe\U0001f600"])
def test_an_input_may_be_called_anything(name: str) -> None:
    model = parse("(float[n] x) => (float[n] y) { y = Relu (x) }")
    model.proto.graph.input[0].name = model.proto.graph.node[0].input[0] = name
    step = sized(f"{name}:7")

    again = build(SetInputShape, parse_step(step_text(step))[1])

    assert again == step
    assert shapes(apply(again, model)) == {name: (7,), "y": (7,)}


def test_a_single_number_has_no_sizes() -> None:
    model = parse("(float s, float[n] x) => (float[n] y) { y = Mul (x, s) }")

    assert shapes(apply(sized("s:", "x:3"), model)) == {"s": (), "x": (3,), "y": (3,)}


ADD = "(float[n, 4] a, float[n, 4] b, float[2] c) => (float[n, 4] y) { y = Add (a, b) }"
DEFAULT = (
    "(float[n, 4] x, float[n, 4] d) => (float[n, 4] y) <float[2, 4] d = {1,2,3,4,5,6,7,8}> { y = Add (x, d) }"
)


@pytest.mark.parametrize(
    ("graph", "told", "line"),
    [
        (ADD, ["aa:8,4"], "the graph has no input 'aa' (did you mean 'a'? known: a, b, c)"),
        (ADD, ["a:8"], "input 'a' has 2 sizes, not 1"),
        (ADD, ["a:"], "input 'a' has 2 sizes, not 0"),
        (ADD, ["a:8,5"], "input 'a' has size 4 on axis 1, not 5"),
        (ADD, ["a:8,4", "b:9,4"], "input 'b' has size 8 on axis 0, not 9: its 'n' is that of input 'a'"),
        (ADD.replace("n, 4] b", "4, n] b"), ["a:8,4", "b:4,9"], "input 'b' has size 8 on axis 1, not 9"),
        (
            "(float[n, n] x) => (float[n, n] y) { y = Relu (x) }",
            ["x:3,4"],
            "input 'x' has size 3 on axis 1, not 4",
        ),
        (DEFAULT, ["d:3,4"], "input 'd' has a default of size 2 on axis 0, not 3"),
        (DEFAULT, ["x:3,4"], "input 'd' has a default of size 2 on axis 0, not 3"),
        (
            ADD,
            [],
            'no shapes are given (axis 0 (n) of a is open; axis 0 (n) of b is open: --input-shape "a:N,4;b:N,4")',
        ),
        (
            "(float[2] x) => (float[2] y) { y = Relu (x) }",
            [],
            "every size of this graph's inputs is stated already",
        ),
    ],
)
def test_what_contradicts_the_graph_is_one_line(graph: str, told: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply(sized(*told), graph)

    assert line in str(caught.value)


def test_a_default_that_fits_stays_an_input() -> None:
    after = apply(sized("x:2,4"), DEFAULT)

    assert shapes(after) == {"x": (2, 4), "d": (2, 4), "y": (2, 4)}


def test_a_sequence_has_no_sizes() -> None:
    model = parse("(seq(float[n]) s) => (float[m] y) { y = ConcatFromSequence <axis = 0> (s) }")

    with pytest.raises(UsageError, match="input 's' is a sequence, which has no sizes to set"):
        apply(sized("s:3"), model)


@pytest.mark.parametrize(
    ("graph", "told", "node"),
    [
        (
            "(float[n, k] x) => (float[n, 4] y) <float[3, 4] w = {1,2,3,4,5,6,7,8,9,10,11,12}> { y = MatMul (x, w) }",
            "x:2,5",
            "<y>",
        ),
        ("(float[n] x) => (float[m] y) <float[3] w = {1, 2, 3}> { y = Add (x, w) }", "x:4", "<y>"),
        ("(float[n] x) => (float[a, b] y) <int64[2] t = {4, -1}> { y = Reshape (x, t) }", "x:6", "<y>"),
    ],
)
def test_a_graph_that_does_not_work_at_these_sizes_names_the_node(graph: str, told: str, node: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply(sized(told), graph)

    assert "does not work at these sizes" in caught.value.message
    assert node in caught.value.message


@pytest.mark.parametrize("told", [["x"], ["x:0"], ["x:-2"], ["x:1,a"], ["x:1", "x:1"]])
def test_what_is_no_size_is_no_pass(told: list[str]) -> None:
    with pytest.raises(UsageError, match="pass set-input-shape: shapes"):
        sized(*told)


def test_it_says_what_it_sets_and_what_stays_open() -> None:
    model = parse(
        "(float[b, 3, h] x, float[k] z) => (float[b, 3, h] y, int64[1, m] q) { y = Relu (x) q = NonZero (z) }"
    )

    found = findings(sized("x:1,3,-1"), model)

    assert [(item.status, item.where, item.why) for item in found] == [
        ("matched", "x", "becomes x:1,3,-1"),
        ("refused", "x", 'axis 2 (h) of x is open: --input-shape "x:1,3,N"'),
        ("refused", "z", 'axis 0 (k) of z is open: --input-shape "z:N"'),
        ("refused", "y", "an output of open size"),
        ("refused", "q", "an output of open size"),
    ]


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(2, 20), st.integers(2, 20))
def test_it_computes_what_the_graph_before_computes_at_that_size(batch: int, height: int, width: int) -> None:
    before = parse(HALVED)
    values = np.random.default_rng(0).standard_normal((batch, 3, height, width)).astype(np.float32)

    after = apply(sized(f"images:{batch},3,{height},{width}"), before)

    expected, found = (
        open_session(model, optimize=False).run({"images": values}) for model in (before, after)
    )
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert {name: shapes(after)[name] for name in found} == {
        name: array.shape for name, array in found.items()
    }


@pytest.mark.slow
def test_the_check_runs_at_the_size_that_is_set(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse(HALVED).proto, tmp_path / "g.onnx")

    done = cli(
        "opt", "g.onnx", "--input-shape", "images:2,3,10,14", "-p", "simplify", "-o", "out.onnx", "--json"
    )

    first, second = done.json["passes"]
    assert (done.code, done.json["guessed"]) == (0, {})
    assert first["text"] == 'set-input-shape{shapes=["images:2,3,10,14"]}'
    assert (first["check"]["samples"], first["check"]["detail"]) == (1, "bit for bit equal")
    assert second["check"]["samples"] == 1
    assert "Shape" not in {node.op_type for node in onnx.load("out.onnx").graph.node}


def test_inputs_of_another_size_are_refused(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse(HALVED).proto, tmp_path / "g.onnx")
    np.savez(tmp_path / "in.npz", images=np.zeros((1, 3, 8, 8), np.float32))

    done = cli("opt", "g.onnx", "--input-shape", "images:1,3,10,14", "--inputs", "in.npz")

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("error: in.npz: ")


def test_a_name_that_no_input_has_is_a_mistake_with_and_without_a_check(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse(HALVED).proto, tmp_path / "g.onnx")

    for words in ((), ("--no-check",), ("--explain", "set-input-shape"), ("--dry-run",)):
        done = cli("opt", "g.onnx", "--input-shape", "image:1,3,8,8", *words)

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "the graph has no input 'image' (did you mean 'images'? known: images)" in done.err


OPEN_NMS = """(float[b, n, 4] boxes, float[b, 3, n] scores) => (int64[k, 3] y)
<int64[1] most = {10}, float[1] overlap = {0.5}> { y = NonMaxSuppression (boxes, scores, most, overlap) }"""

UNLIKELY = "(float[n] x) => (float[a, b] y) <int64[2] t = {71, 73}> { y = Reshape (x, t) }"


@pytest.mark.parametrize(
    ("graph", "command"),
    [
        (HALVED, ["opt", "g.onnx", "--no-check", "-p", "legalize-ascend"]),
        (HALVED, ["estimate", "g.onnx", "-t", "ascend310p3"]),
        (HALVED, ["lint", "g.onnx", "-t", "ascend310p3"]),
        (OPEN_NMS, ["opt", "g.onnx", "--no-check", "-p", "fuse-multiclass-nms"]),
        (OPEN_NMS, ["opt", "g.onnx", "-p", "fuse-multiclass-nms", "--explain", "fuse-multiclass-nms"]),
        (UNLIKELY, ["opt", "g.onnx", "-p", "simplify"]),
    ],
)
def test_an_open_size_that_is_in_the_way_is_named_with_the_way_out(
    cli: Cli, tmp_path: Path, graph: str, command: list[str]
) -> None:
    model = parse(graph).proto
    onnx.save(model, tmp_path / "g.onnx")

    done = cli(*command)

    assert '--input-shape "' in done.out + done.err
    assert f"{model.graph.input[0].name}:N" in done.out + done.err


def test_a_graph_that_fails_only_when_it_runs_is_the_sizes_fault(cli: Cli, tmp_path: Path) -> None:
    onnx.save(parse(UNLIKELY).proto, tmp_path / "g.onnx")

    done = cli("opt", "g.onnx", "--input-shape", "x:10")

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "at these sizes" in done.err and "Reshape" in done.err
    assert cli("opt", "g.onnx", "--input-shape", "x:5183").code == 0


def test_a_name_of_several_lines_is_asked_for_in_one(cli: Cli, tmp_path: Path) -> None:
    model = parse(HALVED).proto
    model.graph.input[0].name = model.graph.node[0].input[0] = "a\nb"
    onnx.save(model, tmp_path / "g.onnx")

    done = cli("estimate", "g.onnx", "-t", "ascend310p3")

    assert (done.code, done.err.count("\n")) == (2, 1)


def test_an_output_that_stays_int64_while_sizes_are_open_says_so(cli: Cli, tmp_path: Path) -> None:
    graph = """(int32[n] x) => (int64[1] y) {
        a = Cast <to = 7> (x)
        y = ReduceSum <axes = [0]> (a) }"""
    onnx.save(parse(graph).proto, tmp_path / "g.onnx")

    done = cli("opt", "g.onnx", "-p", "cast-int64-to-int32", "--json")

    remarks = done.json["passes"][0]["remarks"]
    assert any("axis 0 (n) of x is open" in line for line in remarks), remarks
