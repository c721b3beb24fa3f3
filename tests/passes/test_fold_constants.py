"""``fold-constants``: the graph before and after, and the same numbers on random graphs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_passes.fold_constants import FoldConstants
from hypothesis import HealthCheck, given, settings

from convertkit.graph.light import detach
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from convertkit.passes.check import Checker
from convertkit.passes.testing.drawn import Case, cases
from tests.graphtext import apply, parse, rewritten, show
from tests.passes.outputs import assert_same, outputs

FOLD = FoldConstants()


def test_a_chain_of_constants_becomes_its_value() -> None:
    before = """(float[2] x) => (float[2] y)
    <float[2] a = {1.0, 2.0}>
    {
        b = Constant <value = float[1] {3.0}> ()
        c = Add (a, b)
        d = Neg (c)
        y = Mul (x, d)
    }"""

    after = "(float[2] x) => (float[2] y) <float[2] d = {-4.0, -5.0}> { y = Mul (x, d) }"
    assert rewritten(FOLD, before) == show(after)


def test_known_shapes_are_constants_and_what_follows_from_them() -> None:
    before = """(float[2,3] x) => (float[3,2] y)
    <int64 one = {1}, int64[1] minus = {-1}>
    {
        size = Shape (x)
        columns = Gather (size, one)
        target = Unsqueeze <axes = [0]> (columns)
        shape = Concat <axis = 0> (target, minus)
        y = Reshape (x, shape)
    }"""

    after = "(float[2,3] x) => (float[3,2] y) <int64[2] shape = {3, -1}> { y = Reshape (x, shape) }"
    assert rewritten(FOLD, before) == show(after)


def test_the_known_part_of_a_shape_is_enough() -> None:
    before = """(float[N,3,4] x) => (int64 columns, int64[2] both, int64 rows)
    <int64 last = {-1}, int64 first = {0}, int64[1] one = {1}, int64[1] end = {9223372036854775807}>
    {
        size = Shape (x)
        c = Gather (size, last)
        b = Slice (size, one, end)
        columns = Identity (c)
        both = Identity (b)
        rows = Gather (size, first)
    }"""

    after = """(float[N,3,4] x) => (int64 columns, int64[2] both, int64 rows)
    <int64[2] b = {3, 4}, int64 c = {4}, int64 first = {0}>
    {
        size = Shape (x)
        columns = Identity (c)
        both = Identity (b)
        rows = Gather (size, first)
    }"""
    assert rewritten(FOLD, before) == show(after)


def test_moves_of_nothing_go() -> None:
    before = """(float[N,6] x) => (float[N,6] y)
    <int64[1] zero = {0}, int64[1] four = {4}, int64[1] six = {6}, int64[1] end = {999}, int64[1] axis = {1},
     float[N,4] front, float[N,2] rest, float[N,4] a, float[N,4] all, float[N,0] nothing, float[N,0] b, float[N,4] one>
    {
        front = Slice (x, zero, four, axis)
        rest = Slice (x, four, six, axis)
        a = Neg (front)
        all = Slice (a, zero, end, axis)
        nothing = Slice (a, four, end, axis)
        b = Neg (nothing)
        one = Concat <axis = -1> (all, b)
        y = Concat <axis = 1> (one, b, rest)
    }"""

    after = """(float[N,6] x) => (float[N,6] y)
    <int64[1] axis = {1}, int64[1] four = {4}, int64[1] six = {6}, int64[1] zero = {0}>
    {
        front = Slice (x, zero, four, axis)
        rest = Slice (x, four, six, axis)
        a = Neg (front)
        y = Concat <axis = 1> (a, rest)
    }"""
    assert rewritten(FOLD, before) == show(after)


@pytest.mark.parametrize(
    "move",
    [
        "Slice (x, one, end, axis)",
        "Slice (x, zero, two, axis)",
        "Slice (x, zero, end, open)",
        "Slice (x, zero, end, axis, two)",
        "Slice (x, minus, end, axis, minus)",
    ],
)
def test_slices_that_may_leave_something_out_stay(move: str) -> None:
    before = f"""(float[N,3] x) => (float[M,K] y)
    <int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[1] two = {{2}}, int64[1] end = {{3}}, int64[1] axis = {{1}},
     int64[1] open = {{0}}, int64[1] minus = {{-1}}>
    {{ a = {move} y = Neg (a) }}"""

    assert "Slice" in rewritten(FOLD, before)


def test_tensors_without_elements_are_constants() -> None:
    before = """(float[2,3] x) => (float[2,0] y)
    <int64[1] three = {3}, int64[1] end = {9}, int64[1] axis = {1}, float[2,0] a>
    { a = Slice (x, three, end, axis) y = Neg (a) }"""

    after = "(float[2,3] x) => (float[2,0] y) <float[2,0] a = {}> { y = Neg (a) }"
    assert rewritten(FOLD, before) == show(after)


def test_the_start_of_a_shape_counts() -> None:
    before = "(float[2,3,4] x) => (int64[2] y) { s = Shape <start = 1> (x) y = Neg (s) }"

    after = "(float[2,3,4] x) => (int64[2] y) <int64[2] s = {3, 4}> { y = Neg (s) }"
    assert rewritten(FOLD, before, opset=15) == show(after)


def test_a_graph_output_stays_written_by_a_node() -> None:
    before = """(float[1] x) => (float[1] y, float[1] z)
    <float[1] one = {1.0}>
    {
        two = Add (one, one)
        y = Add (two, one)
        z = Add (x, two)
    }"""

    after = """(float[1] x) => (float[1] y, float[1] z)
    <float[1] one = {1.0}, float[1] two = {2.0}>
    {
        y = Add (two, one)
        z = Add (x, two)
    }"""
    assert rewritten(FOLD, before) == show(after)


def test_random_numbers_stay_random() -> None:
    graph = "(float[2] x) => (float[2] y) { r = RandomNormal <shape = [2]> () y = Add (x, r) }"

    assert rewritten(FOLD, graph) == show(graph)


def test_quantisation_stays_for_the_compiler_to_see() -> None:
    graph = """(float[2] x) => (float[2] y)
    <uint8[2] q = {1, 2}, float scale = {0.5}>
    {
        w = DequantizeLinear (q, scale)
        y = Add (x, w)
    }"""

    assert rewritten(FOLD, graph) == show(graph)


def test_half_precision_moves_but_is_not_computed() -> None:
    before = """(float16[2,1] x) => (float16[2,1] y)
    <float[1,2] wide = {1.0, 2.0}, int64[2] two = {2, 1}>
    {
        a = Cast <to = 10> (wide)
        t = Transpose (a)
        b = Add (t, t)
        y = Add (x, b)
    }"""

    assert [node.op_type for node in apply(FOLD, before).proto.graph.node] == ["Add", "Add"]


def test_arithmetic_between_casts_keeps_its_type() -> None:
    """graphsurgeon would drop these Casts, and with them the fraction."""
    graph = """(int64[2] n) => (int64[2] y)
    <float half = {0.5}>
    {
        f = Cast <to = 1> (n)
        g = Mul (f, half)
        h = Add (g, half)
        y = Cast <to = 7> (h)
    }"""

    assert rewritten(FOLD, graph) == show(graph)


def test_a_result_larger_than_the_limit_stays_unless_it_replaces_as_much() -> None:
    before = """(float[100] x, float[3,3] v) => (float[100] y, float[3,3] z)
    <int64[1] many = {100}, float[1] one = {1.0}, float[3,3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0}>
    {
        large = Expand (one, many)
        y = Add (x, large)
        t = Transpose (w)
        z = Add (v, t)
    }"""

    ops = [node.op_type for node in apply(FoldConstants(fold_limit=20), before).proto.graph.node]

    assert sorted(ops) == ["Add", "Add", "Expand"]


def test_one_result_of_two_keeps_the_other_in_place() -> None:
    before = """(float[2] x) => (int64[1] i, float[2] y)
    <float[3] table = {1.0, 5.0, 2.0}, int64[1] one = {1}>
    {
        v, i = TopK (table, one)
        y = Mul (x, v)
    }"""

    assert [node.op_type for node in apply(FOLD, before).proto.graph.node] == ["TopK", "Mul"]


def test_what_onnxruntime_cannot_run_does_not_stop_the_rest() -> None:
    before = """(float[2] x) => (float[2] y)
    <float[2] one = {1.0, 1.0}, int64[1] two = {2}, float[3] wrong = {1.0, 2.0, 3.0}>
    {
        a = Add (one, one)
        bad = Reshape (wrong, two)
        b = Add (x, a)
        y = Mul (b, bad)
    }"""

    text = rewritten(FOLD, before)

    assert "b = Add (x, a)" in text
    assert "float[2] a = {2.0, 2.0}" in text
    assert "bad = Reshape" in text


def test_large_weights_that_nothing_folds_are_not_opened() -> None:
    weights = np.arange(4096, dtype=np.float32)
    proto = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 11]> g (float[4096] x) => (float[4096] y) { y = Add (x, w) }'
    )
    proto.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    model = detach(proto)

    assert apply(FOLD, model).digest() == model.digest()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_random_graphs_compute_the_same_and_fold_once(case: Case) -> None:
    before = outputs(case.model, case.feeds)

    result = apply(FOLD, case.model)

    validate(result)
    after = outputs(result, case.feeds)
    assert_same(before, after)
    assert [value.dtype for value in before.values()] == [value.dtype for value in after.values()]
    assert apply(FOLD, result).digest() == result.digest()


def test_a_graph_without_constants_is_not_touched() -> None:
    model = parse("(float[N] x) => (int64[1] y) { y = Shape (x) }")

    assert apply(FOLD, model).digest() == model.digest()


def test_short_chains_that_grow_stay() -> None:
    """Doubling by Concat, outer sums by broadcast: not computed where far more would come out than the file holds."""
    doublings = "".join(f"d{i + 1} = Concat <axis = 0> (d{i}, d{i})\n" for i in range(24))

    def ones(count: int) -> str:
        return ", ".join(["1"] * count)

    model = parse(
        f"""(float[1] x) => (float[N] y, float[3000,3000] z)
        <float[1024] d0 = {{{ones(1024)}}}, float[3000,1] column = {{{ones(3000)}}},
        float[1,3000] row = {{{ones(3000)}}}>
        {{
            {doublings}
            last = Neg (d24)
            y = Mul (x, last)
            square = Add (column, row)
            root = Sqrt (square)
            z = Mul (x, root)
        }}"""
    )

    after = apply(FOLD, model)

    left = [node.output[0] for node in after.proto.graph.node]
    assert {"d24", "last", "square", "root"} <= set(left)
    assert "d1" not in left  # what is small is still computed
    assert after.size < 4 * FOLD.fold_limit


def test_a_product_has_the_same_bits_whether_its_weight_is_computed_or_was() -> None:
    rng = np.random.default_rng(0)
    proto = parse("(float[1,513] x) => (float[1,128] y) { w = Transpose (v) y = MatMul (x, w) }").proto
    proto.graph.initializer.append(
        onnx.numpy_helper.from_array(rng.standard_normal((128, 513), np.float32), "v")
    )
    before = detach(proto)
    samples = [{"x": rng.standard_normal((1, 513), np.float32)}]

    after = apply(FOLD, before)

    assert [node.op_type for node in after.proto.graph.node] == ["MatMul"]
    assert Checker(samples).check(FOLD, before, after, changed=True).max_error == 0


def test_a_cast_to_half_precision_that_onnxruntime_leaves_out_stays() -> None:
    model = parse(
        """(float[2] x) => (float[2] y) <float[2] k = {1.2345, 6.789}>
        { a = Cast <to = 10> (k) b = Mul (a, a) c = Add (b, a) d = Cast <to = 1> (c) y = Mul (x, d) }""",
        opset=14,
    )
    feeds = {"x": np.array([1.5, -2.7], np.float32)}

    result = apply(FoldConstants(), model)

    before, after = (open_session(one, optimize=False).run(feeds)["y"] for one in (model, result))
    assert before.tolist() == after.tolist()
