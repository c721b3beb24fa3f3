"""``cast-int64-to-int32``: the graph before and after, side by side."""

from __future__ import annotations

import pytest
from convertkit_passes.cast_int64 import CastInt64ToInt32

from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from convertkit.graph.validate import validate
from tests.graphtext import apply, parse, rewritten, show

NARROW = CastInt64ToInt32()


def reasons(model: LightModel | str, step: CastInt64ToInt32 = NARROW, *, opset: int = 11) -> dict[str, str]:
    """Why each tensor of a graph stays int64."""
    light = parse(model, opset=opset) if isinstance(model, str) else model
    found = step.explain(open_graph(light))
    return {item.tensor: f"{item.where}: {item.why}" for item in found if item.status == "refused"}


def test_an_index_producer_stays_int64_and_one_cast_follows_it() -> None:
    before = """(float[8] x, float[8] y) => (float[3] picked, float[3] ranks)
    <int64[1] three = {3}, int64 five = {5}, int64 eight = {8}>
    {
        values, indices = TopK (x, three)
        moved = Add (indices, five)
        wrapped = Mod (moved, eight)
        picked = Gather (y, wrapped)
        ranks = Cast <to = 1> (moved)
    }"""

    after = """(float[8] x, float[8] y) => (float[3] picked, float[3] ranks)
    <int64[1] three = {3}, int32 five_int32 = {5}, int32 eight_int32 = {8}>
    {
        values, indices = TopK (x, three)
        indices_int32 = Cast <to = 6> (indices)
        moved = Add (indices_int32, five_int32)
        wrapped = Mod (moved, eight_int32)
        ranks = Cast <to = 1> (moved)
        picked = Gather (y, wrapped)
    }"""
    assert rewritten(NARROW, before) == show(after)


def test_indices_that_only_index_need_no_cast() -> None:
    graph = """(float[8] x, float[8] y) => (float[3] picked)
    <int64[1] three = {3}>
    {
        values, indices = TopK (x, three)
        picked = Gather (y, indices)
    }"""

    assert rewritten(NARROW, graph) == show(graph)


def test_size_arithmetic_that_ends_in_a_reshape_stays() -> None:
    graph = """(float[6,4] x) => (float[] y)
    <int64 first = {0}, int64[1] axis = {0}, int64[1] two = {2}>
    {
        size = Shape (x)
        count = Gather (size, first)
        row = Unsqueeze <axes = [0]> (count)
        twice = Mul (row, two)
        target = Concat <axis = 0> (twice, two)
        y = Reshape (x, target)
    }"""

    after = graph.replace("int64 first", "int32 first_int32").replace("(size, first)", "(size, first_int32)")
    assert rewritten(NARROW, graph) == show(after.replace("int64[1] axis = {0}, ", ""))
    assert reasons(graph)["twice"].endswith("flows into input 1 (shape) of Reshape: ONNX fixes it to int64")


def test_graph_outputs_are_really_int32() -> None:
    before = """(float[4,5] scores) => (int64[4] labels, int64[4] next)
    <int64 one = {1}>
    {
        labels = ArgMax <axis = 1, keepdims = 0> (scores)
        next = Add (labels, one)
    }"""

    after = """(float[4,5] scores) => (int32[4] labels, int32[4] next)
    <int32 one_int32 = {1}>
    {
        labels_int64 = ArgMax <axis = 1, keepdims = 0> (scores)
        labels = Cast <to = 6> (labels_int64)
        next = Add (labels, one_int32)
    }"""
    assert rewritten(NARROW, before) == show(after)


def test_kept_outputs_keep_their_type_and_name() -> None:
    before = """(float[4] x, float[9] table) => (int64[1] next, float[1] entry)
    <int64 one = {1}, int64 eight = {8}>
    {
        best = ArgMax <axis = 0, keepdims = 1> (x)
        next = Add (best, one)
        wrapped = Mod (next, eight)
        entry = Gather (table, wrapped)
    }"""

    after = """(float[4] x, float[9] table) => (int64[1] next, float[1] entry)
    <int64 one = {1}, int32 eight_int32 = {8}>
    {
        best = ArgMax <axis = 0, keepdims = 1> (x)
        next = Add (best, one)
        next_int32 = Cast <to = 6> (next)
        wrapped = Mod (next_int32, eight_int32)
        entry = Gather (table, wrapped)
    }"""
    assert rewritten(CastInt64ToInt32(outputs=False), before) == show(after)


def test_graph_inputs_change_only_on_request() -> None:
    before = """(int64[4] n) => (int64[4] y) <int64 one = {1}> { y = Mod (n, one) }"""

    kept = """(int64[4] n) => (int32[4] y) <int32 one_int32 = {1}>
    {
        n_int32 = Cast <to = 6> (n)
        y = Mod (n_int32, one_int32)
    }"""
    narrow = """(int32[4] n) => (int32[4] y) <int32 one_int32 = {1}> { y = Mod (n, one_int32) }"""
    assert rewritten(NARROW, before) == show(kept)
    assert rewritten(CastInt64ToInt32(inputs=True), before) == show(narrow)


def test_casts_to_int64_are_retargeted_and_those_between_equal_types_go() -> None:
    before = """(float[4] x, int32[4] m) => (int64[4] a, float[4] b)
    {
        share = Sigmoid (x)
        rounded = Cast <to = 7> (share)
        wide = Cast <to = 7> (m)
        a = Mod (rounded, wide)
        narrow = Cast <to = 6> (a)
        b = Cast <to = 1> (narrow)
    }"""

    after = """(float[4] x, int32[4] m) => (int32[4] a, float[4] b)
    {
        share = Sigmoid (x)
        rounded = Cast <to = 6> (share)
        a = Mod (rounded, m)
        b = Cast <to = 1> (a)
    }"""
    assert rewritten(CastInt64ToInt32(ranges={"x": (-9, 9)}), before) == show(after)


def test_constant_nodes_and_filled_tensors_change_their_value() -> None:
    before = """(float[2,3] x) => (int64[2,3] y)
    {
        size = Shape (x)
        filled = ConstantOfShape <value = int64[1] {7}> (size)
        two = Constant <value = int64 {2}> ()
        y = Mul (filled, two)
    }"""

    after = """(float[2,3] x) => (int32[2,3] y)
    {
        size = Shape (x)
        two = Constant <value = int32 {2}> ()
        filled = ConstantOfShape <value = int32[1] {7}> (size)
        y = Mul (filled, two)
    }"""
    assert rewritten(NARROW, before) == show(after)


def test_an_initializer_that_a_fixed_input_shares_is_copied() -> None:
    before = """(float[6] x, int64[2] n) => (float[2,3] y, int64[2] z)
    <int64[2] pair = {2, 3}>
    {
        y = Reshape (x, pair)
        z = Mod (n, pair)
    }"""

    after = """(float[6] x, int64[2] n) => (float[2,3] y, int32[2] z)
    <int64[2] pair = {2, 3}, int32[2] pair_int32 = {2, 3}>
    {
        y = Reshape (x, pair)
        n_int32 = Cast <to = 6> (n)
        z = Mod (n_int32, pair_int32)
    }"""
    assert rewritten(NARROW, before) == show(after)


def test_the_end_of_a_slice_is_clamped() -> None:
    before = """(float[9] x) => (float[N] y)
    <int64[1] starts = {2}, int64[1] ends = {9223372036854775807}, int64[1] axes = {0}>
    { y = Slice (x, starts, ends, axes) }"""

    after = """(float[9] x) => (float[N] y)
    <int32[1] starts_int32 = {2}, int32[1] ends_int32 = {2147483647}, int32[1] axes_int32 = {0}>
    { y = Slice (x, starts_int32, ends_int32, axes_int32) }"""
    assert rewritten(NARROW, before) == show(after)


def test_values_beyond_int32_keep_their_region_and_only_that() -> None:
    before = """(int64[2] n) => (int64[2] low, int64[2] hashed)
    <int64 large = {4294967296}, int64 one = {1}>
    {
        low = Mod (n, one)
        product = Mul (n, large)
        hashed = Div (product, large)
    }"""

    after = """(int64[2] n) => (int32[2] low, int32[2] hashed)
    <int64 large = {4294967296}, int32 one_int32 = {1}>
    {
        n_int32 = Cast <to = 6> (n)
        product = Mul (n, large)
        low = Mod (n_int32, one_int32)
        hashed_int64 = Div (product, large)
        hashed = Cast <to = 6> (hashed_int64)
    }"""
    assert rewritten(NARROW, before) == show(after)
    assert "its values may be 4294967296, beyond int32" in reasons(before)["product"]


def test_a_flat_index_that_static_shapes_allow_to_overflow_stays() -> None:
    before = """(float[70000] a, float[70000] b) => (int64[1] flat, int64[1] row)
    <int64 width = {70000}>
    {
        row = ArgMax <axis = 0, keepdims = 1> (a)
        column = ArgMax <axis = 0, keepdims = 1> (b)
        offset = Mul (row, width)
        flat = Add (offset, column)
    }"""

    result = apply(NARROW, before)

    validate(result)
    assert [value.type.tensor_type.elem_type for value in result.proto.graph.output] == [7, 6]
    assert "0 to 4899930000, beyond int32" in reasons(before)["offset"]


def test_columns_of_a_suppression_have_ranges_of_their_own() -> None:
    """The batch index times the number of boxes is 0, although box indices reach 79,999."""
    before = """(float[1,80000,4] boxes, float[1,1,80000] scores) => (int64[N] flat)
    <int64[1] most = {10}, int64 first = {0}, int64 last = {2}, int64 count = {80000}>
    {
        selected = NonMaxSuppression (boxes, scores, most)
        batch = Gather <axis = 1> (selected, first)
        box = Gather <axis = 1> (selected, last)
        offset = Mul (batch, count)
        flat = Add (offset, box)
    }"""

    after = """(float[1,80000,4] boxes, float[1,1,80000] scores) => (int32[N] flat)
    <int64[1] most = {10}, int32 first_int32 = {0}, int32 last_int32 = {2}, int32 count_int32 = {80000}>
    {
        selected = NonMaxSuppression (boxes, scores, most)
        selected_int32 = Cast <to = 6> (selected)
        batch = Gather <axis = 1> (selected_int32, first_int32)
        box = Gather <axis = 1> (selected_int32, last_int32)
        offset = Mul (batch, count_int32)
        flat = Add (offset, box)
    }"""
    assert rewritten(NARROW, before) == show(after)


def test_casts_are_shared_and_fall_where_fewest_are_needed() -> None:
    """Two index producers meet before the value splits into a fixed and a free use: int64 up to the split."""
    before = """(float[4] a, float[4] b, float[16] x) => (float[] y, int64[1] sum)
    {
        i = ArgMax <axis = 0, keepdims = 1> (a)
        j = ArgMax <axis = 0, keepdims = 1> (b)
        joined = Add (i, j)
        y = Expand (x, joined)
        sum = Mul (joined, joined)
    }"""

    after = """(float[4] a, float[4] b, float[16] x) => (float[] y, int32[1] sum)
    {
        i = ArgMax <axis = 0, keepdims = 1> (a)
        j = ArgMax <axis = 0, keepdims = 1> (b)
        joined = Add (i, j)
        y = Expand (x, joined)
        joined_int32 = Cast <to = 6> (joined)
        sum = Mul (joined_int32, joined_int32)
    }"""
    assert rewritten(NARROW, before) == show(after)


def test_subgraphs_stay_as_they_are_and_still_get_what_they_read() -> None:
    before = """(bool c, int64[2] n) => (int64[2] y)
    <int64 seven = {7}, int64[2] r>
    {
        m = Mod (n, seven)
        r = If (c) <
            then_branch = then () => (int64[2] p) { p = Identity (m) },
            else_branch = other () => (int64[2] q) { q = Neg (m) }
        >
        y = Mul (r, m)
    }"""

    result = apply(NARROW, before)

    validate(result)
    text = show(result)
    assert "m = Mod (n, seven)" in text
    assert "r_int32 = Cast <to = 6> (r)" in text
    assert "y = Mul (r_int32, m_int32)" in text
    assert "subgraphs" in reasons(before)["r"]


@pytest.mark.parametrize(
    ("opset", "node", "reason"),
    [
        (11, "u = Unique <sorted = 1> (n) y = Mod (u, seven)", "onnxruntime has no int32 kernel"),
        (13, "u = vendor.Spread (n) y = Mod (u, seven)", "no schema is registered for vendor::Spread"),
    ],
)
def test_what_nobody_could_run_is_left_alone(opset: int, node: str, reason: str) -> None:
    text = f"(int64[1] n) => (int64[N] y) <int64 seven = {{7}}, int64[N] u> {{ {node} }}"
    model = parse(text, opset=opset, domains=["vendor"])

    text = show(apply(NARROW, model))

    assert node.partition(" y =")[0] in text
    assert "(int32[N] y)" in text
    assert any(reason in why for why in reasons(model).values())


def test_an_output_that_is_an_input_has_the_type_of_the_input() -> None:
    graph = "(int64[2] n) => (int64[2] n, int64[2] m) { m = Sign (n) }"

    assert show(apply(NARROW, graph)).startswith("(int64[2] n) => (int64[2] n, int32[2] m)")
    assert show(apply(CastInt64ToInt32(inputs=True), graph)).startswith(
        "(int32[2] n) => (int32[2] n, int32[2] m)"
    )


def test_an_output_that_is_an_initializer_changes_under_its_name() -> None:
    graph = "(float[2] x) => (int64[2] k, float[2] y) <int64[2] k = {1, 2}> { y = Relu (x) }"

    result = apply(NARROW, graph)

    validate(result)
    assert "<int32[2] k = {1, 2}>" in show(result)
    assert "(int32[2] k, float[2] y)" in show(result)


def test_int32_graphs_are_not_touched() -> None:
    graph = "(int32[2] n) => (int32[2] y) <int32 one = {1}> { y = Add (n, one) }"

    model = parse(graph)

    assert apply(NARROW, model).digest() == model.digest()
    assert reasons(graph) == {}
