"""Every kind of limit that the table has, just inside and just outside, and where the graph leaves it open."""

from __future__ import annotations

from typing import Any

import pytest
from convertkit_ascend.linter.rule import Limit
from convertkit_ascend.linter.rules import every
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import View

from tests.ascend.linter.graphs import named

LIMITS = {item.kind: item for item in every() if isinstance(item, Limit)}

POOL = "(float[1,1,4,8] x) => (float[1,1,a,b] y) { y = MaxPool <OPTIONS> (x) }"
ONE = "(float[1,3,4,8] x) => (float[1,3,4,8] y) { y = Relu (x) }"
OPEN = "(float[n,3] x) => (float[n,3] y) { y = Relu (x) }"
FAR = "(float[2] x) => (float[2] y) { y = Relu (nowhere) }"
THREE = "(float[2] x, float[2] z) => (float[2] y) { y = Sum (x, z, x) }"
SCALAR = "(float x) => (float y) { y = Relu (x) }"
"""Of ``FAR`` nothing is known of the input, of ``OPEN`` not its first size."""


def pool(options: str) -> str:
    return POOL.replace("OPTIONS", options)


def reads(values: str) -> str:
    """A Gather by such indices."""
    return f"(float[9] x) => (float[n] y) <{values}> {{ y = Gather (x, i) }}"


def said(kind: str, text: str, opset: int = 11, **check: Any) -> str | None:
    """What a limit says of the first node."""
    node = View(named(text, opset=opset)).nodes[0]
    return LIMITS[kind].check(node, Check(kind, "error", "plugin", **check))


KERNEL = {"name": "kernel_shape"}


@pytest.mark.parametrize(
    ("kind", "text", "check", "why"),
    [
        ("attr_absent", pool("ceil_mode = 1, storage_order = 1"), {"names": ("ceil_mode", "storage_order", "pads")},
         "ceil_mode and storage_order must keep the default, they are not read"),
        ("attr_absent", pool("ceil_mode = 0, storage_order = 1"), {"names": ("ceil_mode", "storage_order")},
         "storage_order must keep the default, they are not read"),
        ("attr_absent", pool("ceil_mode = 0"), {"names": ("ceil_mode",)}, None),
        ("attr_default", pool("ceil_mode = 1"), {"names": ("ceil_mode",)},
         "ceil_mode must keep the default, they are not read"),
        ("attr_default", pool("ceil_mode = 0"), {"names": ("ceil_mode",)}, None),
        ("attr_all_equal", pool("dilations = [1,1]"), {"name": "dilations", "value": 1}, None),
        ("attr_all_equal", pool("dilations = [1,2]"), {"name": "dilations", "value": 1},
         "dilations must be all 1, it is [1, 2]"),
        ("attr_all_equal", pool('mode = "a", dilations = [1,2]'),
         {"name": "dilations", "value": 1, "when_mode": "a"}, "dilations must be all 1, it is [1, 2]"),
        ("attr_all_equal", pool('mode = "b", dilations = [1,2]'),
         {"name": "dilations", "value": 1, "when_mode": "a"}, None),
        ("attr_all_equal", pool("dilations = [1,2]"), {"name": "dilations", "value": 1, "only_rank": 4},
         "dilations must be all 1, it is [1, 2]"),
        ("attr_all_equal", pool("dilations = [1,2]"), {"name": "dilations", "value": 1, "only_rank": 5}, None),
        ("attr_all_equal", FAR.replace("Relu", "MaxPool <dilations = [1,2]>"),
         {"name": "dilations", "value": 1, "only_rank": 4}, None),
        ("attr_equals", pool("ceil_mode = 1"), {"name": "ceil_mode", "value": 1}, None),
        ("attr_equals", pool("ceil_mode = 1"), {"name": "ceil_mode", "value": 0}, "ceil_mode must be 0, it is 1"),
        ("attr_equals", pool("ceil_mode = 1"), {"name": "pads", "value": 0}, None),
        ("attr_explicit", pool("ceil_mode = 0"), {"name": "ceil_mode"}, None),
        ("attr_explicit", pool("ceil_mode = 0"), {"name": "storage_order"},
         "storage_order should be written, defaults differ"),
        ("attr_in", pool("ceil_mode = 2"), {"name": "ceil_mode", "values": (0, 1)},
         "ceil_mode must be 0 or 1, it is 2"),
        ("attr_in", pool("ceil_mode = 1"), {"name": "ceil_mode", "values": (0, 1)}, None),
        ("attr_in", pool("ceil_mode = 1"), {"name": "unheard", "values": (0, 1)}, None),
        ("attr_in", pool("ceil_mode = 2"), {"name": "ceil_mode", "values": (0, 1), "only_rank": 3}, None),
        ("attr_len", pool("kernel_shape = [2,2]"), {**KERNEL, "value": 2}, None),
        ("attr_len", pool("kernel_shape = [2,2]"), {**KERNEL, "value": 3},
         "kernel_shape must have 3 entries, it has 2"),
        ("attr_len", pool("ceil_mode = 0"), {**KERNEL, "value": 3}, None),
        ("attr_len_even", pool("pads = [1,1,1,1]"), {"name": "pads"}, None),
        ("attr_len_even", pool("pads = [1,1,1]"), {"name": "pads"},
         "pads must have an even number of entries, it has 3"),
        ("attr_not", pool("ceil_mode = 1"), {"name": "ceil_mode", "value": 1}, "ceil_mode must not be 1"),
        ("attr_not", pool("ceil_mode = 1"), {"name": "ceil_mode", "value": 0}, None),
        ("attr_not", "(float[2] x) => (double[2] y) { y = Cast <to = 11> (x) }", {"name": "to", "value": "DOUBLE"},
         "to must not be DOUBLE"),
        ("attr_not", "(float[2] x) => (int32[2] y) { y = Cast <to = 6> (x) }", {"name": "to", "value": "DOUBLE"},
         None),
        ("attr_not", "(float[2] x) => (int32[2] y) { y = Cast <to = 99> (x) }", {"name": "to", "value": 99},
         "to must not be 99"),
        ("attr_not", "(float[2] x) => (int32[2] y) { y = Cast <to = 1.5> (x) }", {"name": "to", "value": 1}, None),
        ("attr_odd", pool("kernel_shape = [3,5]"), KERNEL, None),
        ("attr_odd", pool("kernel_shape = [3,4]"), KERNEL, "kernel_shape must be odd, it is 4"),
        ("attr_only", pool("kernel_shape = [3,4]"), {"names": ("kernel_shape", "pads")}, None),
        ("attr_only", pool("kernel_shape = [3,4], b = 1, a = 1"), {"names": ("kernel_shape", "pads")},
         "only kernel_shape and pads is read, not a or b"),
        ("attr_product_max", pool("kernel_shape = [3,5]"), {**KERNEL, "max": 15}, None),
        ("attr_product_max", pool("kernel_shape = [3,5]"), {**KERNEL, "max": 14},
         "the product of kernel_shape is 15, more than 14"),
        ("attr_product_max", pool("kernel_shape = [3,5]"), KERNEL, None),
        ("attr_range", pool("kernel_shape = [3,5]"), {**KERNEL, "min": 3, "max": 5}, None),
        ("attr_range", pool("kernel_shape = [2,5]"), {**KERNEL, "min": 3, "max": 5},
         "kernel_shape must be 3 to 5, it is 2"),
        ("attr_range", pool("kernel_shape = [3,6]"), {**KERNEL, "min": 3, "max": 5},
         "kernel_shape must be 3 to 5, it is 6"),
        ("attr_range", pool("kernel_shape = [0,5]"), {**KERNEL, "max": 5}, None),
        ("attr_range", pool("kernel_shape = [0,0]"), {**KERNEL, "min": -1}, None),
        ("attr_range", pool("kernel_shape = [1,0]"), KERNEL, "kernel_shape must be 0 to 0, it is 1"),
        ("attr_range", pool("kernel_shape = [9.0]"), {**KERNEL, "max": 5}, None),
        ("attr_required", pool("kernel_shape = [3,5]"), {**KERNEL, "type": "INTS"}, None),
        ("attr_required", pool("pads = [3,5]"), KERNEL, "attribute kernel_shape is missing"),
        ("attr_required", pool("kernel_shape = [3.0]"), {**KERNEL, "type": "INTS"},
         "kernel_shape must be INTS, it is FLOATS and would be ignored"),
        ("attr_type", pool("kernel_shape = [3,5]"), {**KERNEL, "type": "INTS"}, None),
        ("attr_type", pool("kernel_shape = [3,5]"), KERNEL, None),
        ("attr_type", pool("kernel_shape = [3,5]"), {**KERNEL, "type": "INT"},
         "kernel_shape must be INT, it is INTS and would be ignored"),
        ("attr_type", pool("pads = [3,5]"), {**KERNEL, "type": "INT"}, None),
    ],
)  # fmt: skip
def test_limits_of_attributes(kind: str, text: str, check: dict[str, Any], why: str | None) -> None:
    assert said(kind, text, **check) == why


SIZE = {"input": 0, "axis": 3}
LEFT_OUT = '(float[2] x, float[2] z) => (float[2] y) { y = Clip (x, "", z) }'
MIXED = "(float[2] x, int32[2] z, float[2] w) => (float[2] y) { y = Where (x, z, w) }"


@pytest.mark.parametrize(
    ("kind", "text", "check", "why"),
    [
        ("any_input_present", LEFT_OUT, {"inputs": (1, 2)}, None),
        ("any_input_present", LEFT_OUT, {"inputs": (1, 3)}, "one of the inputs 1, 3 must be there"),
        ("input_const", reads("int64[1] i = {1}"), {"inputs": (1,)}, None),
        ("input_const", reads("int64[1] i = {1}"), {"inputs": (0, 1, 2)}, "input 0 must be constant"),
        ("input_count_range", THREE, {"min": 3, "max": 3}, None),
        ("input_count_range", THREE, {"min": 4, "max": 5}, "it must have 4 to 5 inputs, it has 3"),
        ("input_count_range", THREE, {"min": 1, "max": 2}, "it must have 1 to 2 inputs, it has 3"),
        ("input_count_range", THREE, {}, "it must have 0 to 0 inputs, it has 3"),
        ("input_count_range", "() => (float[2] y) { y = Sum () }", {}, None),
        ("input_dim_max", ONE, {**SIZE, "max": 8}, None),
        ("input_dim_max", ONE, {**SIZE, "max": 7}, "axis 3 of input 0 must be at most 7, it is 8"),
        ("input_dim_range", ONE, {**SIZE, "min": 8, "max": 8}, None),
        ("input_dim_range", ONE, {**SIZE, "min": 9, "max": 10}, "axis 3 of input 0 must be 9 to 10, it is 8"),
        ("input_dim_range", ONE, {**SIZE, "min": 1, "max": 7}, "axis 3 of input 0 must be 1 to 7, it is 8"),
        ("input_dim_range", ONE, {"input": 0, "axis": -4, "max": 0},
         "axis -4 of input 0 must be at most 0, it is 1"),
        ("input_dim_range", ONE, {"input": 0, "axis": -5, "max": 0}, None),
        ("input_dim_range", ONE, {"input": 0, "axis": 4, "max": 0}, None),
        ("input_dim_range", ONE, SIZE, "axis 3 of input 0 must be at most None, it is 8"),
        ("input_dim_range", "(float[0] x) => (float[0] y) { y = Relu (x) }", {"input": 0, "axis": 0}, None),
        ("input_dim_range", OPEN, {"input": 0, "axis": 0, "max": 1}, None),
        ("input_dim_range", FAR, {**SIZE, "max": 7}, None),
        ("input_dim_range", SCALAR, {"input": 0, "axis": 0, "max": 7}, None),
        ("input_dtype_in", ONE, {"input": 0, "values": ("float16", "float32")}, None),
        ("input_dtype_in", ONE, {"input": 0, "values": ("float16", "int8")},
         "input 0 must be float16 or int8, it is float32"),
        ("input_dtype_in", FAR, {"input": 0, "values": ("float16",)}, None),
        ("input_nonneg", reads("int64[2] i = {0, 1}"), {"input": 1}, None),
        ("input_nonneg", reads("int64[2] i = {0, -1}"), {"input": 1}, "input 1 holds the negative index -1"),
        ("input_nonneg", reads("int64[0] i = {}"), {"input": 1}, None),
        ("input_nonneg", reads("int64[1] i = {0}"), {"input": 0}, None),
        ("input_rank_in", ONE, {"input": 0, "values": (3, 4)}, None),
        ("input_rank_in", ONE, {"input": 0, "values": (3, 5)}, "input 0 must have rank 3 or 5, it has 4"),
        ("input_rank_in", FAR, {"input": 0, "values": (3, 5)}, None),
        ("input_rank_in", pool('mode = "a"'), {"input": 0, "values": (3,), "when_mode": "a"},
         "input 0 must have rank 3, it has 4"),
        ("input_rank_in", pool('mode = "b"'), {"input": 0, "values": (3,), "when_mode": "a"}, None),
        ("input_rank_min", ONE, {"input": 0, "min": 4}, None),
        ("input_rank_min", ONE, {"input": 0, "min": 5}, "input 0 must have rank 5 to inf, it has 4"),
        ("input_rank_range", ONE, {"input": 0, "min": 4, "max": 4}, None),
        ("input_rank_range", ONE, {"input": 0, "min": 1, "max": 3}, "input 0 must have rank 1 to 3, it has 4"),
        ("input_rank_range", SCALAR, {"input": 0, "max": 0}, None),
        ("input_rank_range", FAR, {"input": 0, "min": 5}, None),
        ("input_value_max", reads("int64[2] i = {0, 5}"), {"input": 1, "max": 5}, None),
        ("input_value_max", reads("int64[2] i = {0, 5}"), {"input": 1, "max": 4},
         "input 1 must be at most 4, it is 5"),
        ("input_value_max", reads("int64[2] i = {0, 5}"), {"input": 1}, None),
        ("input_value_max", reads("int64[0] i = {}"), {"input": 1, "max": 4}, None),
        ("input_value_max", reads("int64[1] i = {0}"), {"input": 0, "max": 4}, None),
        ("max_inputs", LEFT_OUT, {"value": 3}, None),
        ("max_inputs", LEFT_OUT, {"value": 2}, "it must have at most 2 inputs, it has 3"),
        ("max_inputs", '(float[2] x) => (float[2] y) { y = Clip (x, "", "") }', {"value": 1}, None),
        ("max_inputs", '() => (float[2] y) { y = Clip ("") }', {}, None),
        ("max_inputs", ONE, {}, "it must have at most 0 inputs, it has 1"),
        ("max_outputs", '(float[2] x) => (float[2] y) { y, "" = Dropout (x) }', {"value": 2}, None),
        ("max_outputs", '(float[2] x) => (float[2] y) { y, "" = Dropout (x) }', {"value": 1},
         "it must have at most 1 outputs, it has 2"),
        ("max_outputs", ONE, {}, "it must have at most 0 outputs, it has 1"),
        ("min_inputs", THREE, {"value": 3}, None),
        ("min_inputs", THREE, {"value": 4}, "it must list at least 4 inputs, it has 3"),
        ("min_inputs", "() => (float[2] y) { y = Sum () }", {}, None),
        ("same_dtype", MIXED, {"inputs": (0, 2)}, None),
        ("same_dtype", MIXED, {"inputs": (0, 1)},
         "its inputs are float32 and int32 on the chip, they must be of one type"),
        ("same_dtype", MIXED, {"inputs": (0, 1, 3)}, None),
    ],
)  # fmt: skip
def test_limits_of_inputs(kind: str, text: str, check: dict[str, Any], why: str | None) -> None:
    assert said(kind, text, **check) == why


def along(axis: int) -> str:
    return f"(float[1,2,3] x) => (float[1,2,3] y) {{ y = Softmax <axis = {axis}> (x) }}"


def sliced(steps: str, axes: str = "") -> str:
    count = steps.count(",") + 1
    given = f"int64[{count}] s = {{{', '.join(['0'] * count)}}}, int64[{count}] t = {{{steps}}}"
    if axes:
        given += f", int64[{axes.count(',') + 1}] a = {{{axes}}}"
    a = "a" if axes else '""'
    return f"(float[2,9] x) => (float[p,q] y) <{given}> {{ y = Slice (x, s, s, {a}, t) }}"


def reduced(attribute: str = "", reads: str = "x") -> str:
    return f"(float[2,3] x, int64[1] a) => (float[2,1] y) {{ y = ReduceMax {attribute} ({reads}) }}"


def split(options: str, shape: str = "6,5", reads: str = "x") -> str:
    return f"(float[{shape}] x, int64[2] s) => (float[a,b] y, float[c,d] z) {{ y, z = Split <{options}> ({reads}) }}"


def topk(k: str, shape: str = "100,2") -> str:
    return f"(float[{shape}] x) => (float[a,b] v, int64[c,d] i) <{k}> {{ v, i = TopK (x, k) }}"


FEW = {"k_min": 2, "k_max": 4, "numel_above": 199}


@pytest.mark.parametrize(
    ("kind", "text", "check", "why"),
    [
        ("axes_explicit", reduced(), {}, "the axes should be written"),
        ("axes_explicit", reduced("<axes = [1]>"), {}, None),
        ("axes_explicit", reduced(reads="x, a"), {}, None),
        ("axis_len_not", along(0), {"value": 1}, "the axis it works along has 1 entry"),
        ("axis_len_not", along(1), {"value": 1}, None),
        ("axis_len_not", along(2), {"value": 3}, "the axis it works along has 3 entry"),
        ("axis_len_not", along(-3), {"value": 1}, "the axis it works along has 1 entry"),
        ("axis_len_not", along(-4), {"value": 1}, None),
        ("axis_len_not", along(3), {"value": 1}, None),
        ("axis_len_not", ONE, {"value": 1}, None),
        ("axis_len_not", FAR.replace("Relu", "Softmax <axis = 0>"), {"value": 1}, None),
        ("dynamic_output", ONE, {}, "the number of its results depends on the data"),
        ("slice_last_step_one", sliced("1", "1"), {}, None),
        ("slice_last_step_one", sliced("2", "1"), {}, "the step along the last axis should be 1, it is 2"),
        ("slice_last_step_one", sliced("2", "0"), {}, None),
        ("slice_last_step_one", sliced("3, 2", "-2, -1"), {}, "the step along the last axis should be 1, it is 2"),
        ("slice_last_step_one", sliced("2, 3", "1, 0"), {}, "the step along the last axis should be 1, it is 2"),
        ("slice_last_step_one", sliced("2, 3"), {}, "the step along the last axis should be 1, it is 3"),
        ("slice_last_step_one", sliced("2"), {}, None),
        ("slice_last_step_one", FAR.replace("Relu", "Slice"), {}, None),
        ("slice_last_step_positive", sliced("1", "1"), {}, None),
        ("slice_last_step_positive", sliced("-1", "1"), {}, "the step along the last axis must be positive, it is -1"),
        ("slice_last_step_positive", sliced("0", "1"), {}, "the step along the last axis must be positive, it is 0"),
        ("slice_last_step_positive", sliced("-1", "0"), {}, None),
        ("split_even", split("axis = 0, num_outputs = 3"), {}, None),
        ("split_even", split("axis = 0, num_outputs = 4"), {}, "6 cannot be split into 4 equal parts"),
        ("split_even", split("axis = 1, num_outputs = 2"), {}, "5 cannot be split into 2 equal parts"),
        ("split_even", split("axis = -1, num_outputs = 2"), {}, "5 cannot be split into 2 equal parts"),
        ("split_even", split("axis = -2, num_outputs = 4"), {}, "6 cannot be split into 4 equal parts"),
        ("split_even", split("axis = -3, num_outputs = 4"), {}, None),
        ("split_even", split("axis = 2, num_outputs = 4"), {}, None),
        ("split_even", split("axis = 0, num_outputs = 4", "n,5"), {}, None),
        ("split_even", split("axis = 0"), {}, None),
        ("split_even", split("axis = 0, num_outputs = 4", reads="x, s"), {}, None),
        ("split_even", split("num_outputs = 4", reads="nowhere"), {}, None),
        ("topk_small_k", topk("int64[1] k = {3}"), FEW,
         "k = 3 of 200 values: from 199 values on, k must be above 4"),
        ("topk_small_k", topk("int64[1] k = {2}"), FEW,
         "k = 2 of 200 values: from 199 values on, k must be above 4"),
        ("topk_small_k", topk("int64[1] k = {4}"), FEW,
         "k = 4 of 200 values: from 199 values on, k must be above 4"),
        ("topk_small_k", topk("int64[1] k = {1}"), FEW, None),
        ("topk_small_k", topk("int64[1] k = {5}"), FEW, None),
        ("topk_small_k", topk("int64[1] k = {3}"), {**FEW, "numel_above": 200}, None),
        ("topk_small_k", topk("int64[2] k = {3, 3}"), FEW, None),
        ("topk_small_k", topk("int64[1] k = {3}", "n,2"), FEW, None),
        ("topk_small_k", "(float[200] x, int64[1] k) => (float[a] v, int64[b] i) { v, i = TopK (x, k) }", FEW, None),
    ],
)  # fmt: skip
def test_limits_of_single_operators(kind: str, text: str, check: dict[str, Any], why: str | None) -> None:
    assert said(kind, text, opset=13 if kind == "slice_last_step_one" else 18, **check) == why


@pytest.mark.parametrize(
    ("rest", "check", "why"),
    [
        ("", {"output": 1, "actual": "int32"}, "output 1 is int32 on the chip, ONNX says int64"),
        ("", {"output": 1, "actual": "int64"}, None),
        ("", {"output": 2, "actual": "int32"}, None),
        ("j = Cast <to = 6> (i) k2 = Cast <to = 7> (i)", {"output": 1, "actual": "int32"},
         "output 1 is int32 on the chip, ONNX says int64"),
    ],
)  # fmt: skip
def test_an_output_of_another_type_on_the_chip(rest: str, check: dict[str, Any], why: str | None) -> None:
    text = f"(float[9] x) => (float[3] v, int64[3] i) <int64[1] k = {{3}}> {{ v, i = TopK (x, k) {rest} }}"

    assert said("output_dtype_actual", text, **check) == why


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("j = Cast <to = 6> (i)", False),
        ("j = Cast <to = 6> (i) l = Cast <to = 7> (i)", False),
        ("j = Cast <to = 6> (i) l = Neg (i)", True),
        ("j = Neg (v)", False),
    ],
)
def test_such_an_output_may_be_read_by_casts(rest: str, told: bool) -> None:
    text = f"(float[9] x) => (float[3] v, int32[3] j) <int64[1] k = {{3}}> {{ v, i = TopK (x, k) {rest} }}"

    assert (said("output_dtype_actual", text, output=1, actual="int32") is not None) == told
