"""Every kind of check in the table: one node that breaks it, or one that could and does not."""

from __future__ import annotations

import pytest
from convertkit_ascend.linter.examination import judge
from convertkit_ascend.linter.rule import Limit
from convertkit_ascend.linter.rules import every
from convertkit_ascend.linter.table import Check
from convertkit_ascend.linter.view import View

from tests.ascend.linter.graphs import judged, named

LIMITS = {item.kind: item for item in every() if isinstance(item, Limit)}

BROKEN = [
    ("any-input-present", "error", "(float[2] x) => (float[2] y) { y = Clip (x) }"),
    (
        "attr-all-equal",
        "error",
        "(float[1,1,8,8] x) => (float[1,1,4,4] y) { y = MaxPool <kernel_shape = [3,3], dilations = [2,2]> (x) }",
    ),
    ("attr-default", "error", "(float[2] x) => (bool[2] y) { y = IsInf <detect_negative = 0> (x) }"),
    ("attr-explicit", "warning", "(float[2,3] x) => (float[2,3] y) { y = LogSoftmax (x) }"),
    (
        "attr-in",
        "warning",
        "(float[1,1,2,2] x) => (float[1,1,4,4] y) <float[0] e = {}, float[4] s = {1, 1, 2, 2}> "
        '{ y = Resize <mode = "cubic"> (x, e, s) }',
    ),
    (
        "attr-len-even",
        "error",
        "(float[1,1,4,4] x, float[1,1,1,1] w) => (float[1,1,4,4] y) { y = Conv <pads = [0,0,0]> (x, w) }",
    ),
    ("attr-not", "warning", "(float[2] x) => (double[2] y) { y = Cast <to = 11> (x) }"),
    (
        "attr-odd",
        "error",
        "(float[1,4,2,2] x) => (float[1,4,2,2] y) { y = LRN <size = 2> (x) }",
    ),
    ("attr-only", "error", "(float[2] x) => (float y) { y = Constant <value_float = 1.0> () }"),
    (
        "attr-product-max",
        "warning",
        "(float[1,1,32,32] x) => (float[1,1,16,16] y) { y = MaxPool <kernel_shape = [17,17]> (x) }",
    ),
    (
        "attr-range",
        "warning",
        "(float[1,1,99,99] x, float[1,1,1,1] w) => (float[1,1,2,2] y) { y = Conv <strides = [64,64]> (x, w) }",
    ),
    ("attr-required", "error", "(float[2,3] x) => (float[3,2] y) { y = Transpose (x) }"),
    ("axes-explicit", "warning", "(float[2,3] x) => (float[1,1] y) { y = ReduceMax (x) }"),
    (
        "axis-len-not",
        "warning",
        "(float[9,1] x) => (float[9,1] v, int64[9,1] i) <int64[1] k = {1}> { v, i = TopK (x, k) }",
    ),
    ("dynamic-output", "warning", "(float[9] x) => (int64[1,n] y) { y = NonZero (x) }"),
    ("input-const", "warning", "(float[4] x, int64[2] s) => (float[2,2] y) { y = Reshape (x, s) }"),
    (
        "input-dim-max",
        "error",
        "(float[1,60000,4] b, float[1,1,60000] s) => (int64[n,3] y) { y = NonMaxSuppression (b, s) }",
    ),
    (
        "input-dim-range",
        "warning",
        "(float[1,1,1,5000] x, float[1,1,1,1] w) => (float[1,1,1,5000] y) { y = Conv (x, w) }",
    ),
    ("input-dtype-in", "warning", "(int64[2] x, int64[2] z) => (int64[2] y) { y = Div (x, z) }"),
    ("input-nonneg", "warning", "(float[4] x) => (float[1] y) <int64[1] i = {-1}> { y = Gather (x, i) }"),
    (
        "input-rank-in",
        "error",
        "(float[1,2,2] x) => (float[1,4,4] y) <float[0] e = {}, float[3] s = {1, 2, 2}> "
        '{ y = Resize <mode = "nearest"> (x, e, s) }',
    ),
    (
        "input-rank-range",
        "warning",
        "(float[1,1,1,1,1,1,2] x, float[2] z) => (float[1,1,1,1,1,1] y) { y = MatMul (x, z) }",
    ),
    (
        "input-value-max",
        "warning",
        "(float[1,9,4] b, float[1,1,9] s) => (int64[n,3] y) <int64[1] k = {701}> "
        "{ y = NonMaxSuppression (b, s, k) }",
    ),
    (
        "max-outputs",
        "error",
        "(float[1,1,8,8] x) => (float[1,1,8,8] y, int64[1,1,8,8] i) { y, i = MaxPool <kernel_shape = [1,1]> (x) }",
    ),
    (
        "output-dtype-actual",
        "warning",
        "(float[9] x) => (float[3] v, int64[3] i) <int64[1] k = {3}> { v, i = TopK (x, k) }",
    ),
    (
        "slice-last-step-positive",
        "warning",
        "(float[2,9] x) => (float[2,9] y) <int64[1] s = {-1}, int64[1] e = {-99}, int64[1] a = {1}, int64[1] t = {-1}>"
        " { y = Slice (x, s, e, a, t) }",
    ),
    (
        "topk-small-k",
        "warning",
        "(float[40000] x) => (float[3] v, int64[3] i) <int64[1] k = {3}> { v, i = TopK (x, k) }",
    ),
]


@pytest.mark.parametrize(("rule", "severity", "text"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_node_outside_a_limit_is_named(rule: str, severity: str, text: str) -> None:
    found = judged(text)

    assert ("n0", rule) in found, sorted(found)
    assert found["n0", rule].severity == severity
    assert "\n" not in str(found["n0", rule])


AT_13_AND_LATER = [
    (13, "attr-not", "(float[2,3] x) => (int64[1,3] y) { y = ArgMax <axis = 0, select_last_index = 1> (x) }"),
    (13, "attr-equals", "(float[2,3] x, int64[2,1] i) => (float[2] y) { y = GatherND <batch_dims = 1> (x, i) }"),
    (15, "attr-absent", "(float[2,3] x) => (int64[1] y) { y = Shape <start = 1> (x) }"),
    (18, "split-even", "(float[5] x) => (float[3] y, float[2] z) { y, z = Split <num_outputs = 2> (x) }"),
    (
        18,
        "max-inputs",
        "(float[2] x) => (float[4] y) <int64[1] p = {1, 1}, float v = {0}, int64[1] a = {0}> { y = Pad (x, p, v, a) }",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("opset", "rule", "text"), AT_13_AND_LATER, ids=[case[1] for case in AT_13_AND_LATER]
)
def test_limits_of_later_opsets(opset: int, rule: str, text: str) -> None:
    text = text.replace("int64[1] p = {1, 1}", "int64[2] p = {1, 1}")

    assert ("n0", rule) in judged(text, opset=opset)


def test_limits_of_operators_that_onnx_does_not_have() -> None:
    text = """(float16[1,9,4] b, float16[1,9,3] s, float[1,4,8,8] f, float[2,5] r)
    => (float16[1,1,9,4] o, float[2,4,7,7] p)
    {
        o, q, c, n = BatchMultiClassNMS <iou_threshold = 1, score_threshold = 0.5, max_size_per_class = 2000> (b, s)
        p = RoiExtractor <pool_mode = "max", roi_scale_factor = 0, spatial_scale = [1]> (f, r)
        t = RoiExtractor (f)
    }"""

    found = judge(named(text))
    lines = {(item.node, item.rule, item.why.partition(" ")[0]) for item in found if item.severity == "error"}

    assert lines >= {
        ("n0", "input-rank-in", "input"),
        ("n0", "attr-range", "max_size_per_class"),
        ("n0", "attr-required", "iou_threshold"),
        ("n0", "attr-required", "attribute"),
        ("n1", "attr-in", "pool_mode"),
        ("n1", "attr-type", "spatial_scale"),
        ("n2", "min-inputs", "it"),
    }


@pytest.mark.parametrize(
    ("kind", "check", "broken"),
    [
        ("attr_len", {"name": "pooled_shape", "value": 2}, True),
        ("attr_len", {"name": "pooled_shape", "value": 3}, False),
        ("input_count_range", {"min": 2, "max": 5}, True),
        ("input_rank_min", {"input": 0, "min": 5}, True),
        ("input_rank_min", {"input": 0, "min": 4}, False),
        ("same_dtype", {"inputs": (0, 0)}, False),
        ("slice_last_step_one", {}, False),
    ],
)
def test_kinds_that_no_small_graph_of_onnx_breaks(kind: str, check: dict[str, object], broken: bool) -> None:
    text = "(float[1,1,4,4] x) => (float[1,1,4,4] y) { y = MaxRoiPool <pooled_shape = [2,2,2]> (x) }"
    node = View(named(text)).nodes[0]

    why = LIMITS[kind].check(node, Check(kind, "error", "plugin", **check))  # type: ignore[arg-type]

    assert (why is not None) == broken


@pytest.mark.parametrize(
    "text",
    [
        "(float[1,3,8,8] x, float[4,3,3,3] w) => (float[1,4,6,6] y) { c = Conv (x, w) y = Relu (c) }",
        "(float[2,9] x) => (float[2,2] y) <int64[1] s = {1}, int64[1] e = {2147483647}, int64[1] a = {1}, "
        "int64[1] t = {4}> { y = Slice (x, s, e, a, t) }",
        "(float[9] x) => (float[3] v, int32[3] j) <int64[1] k = {3}> { v, i = TopK (x, k) j = Cast <to = 6> (i) }",
        "(float[1,1,2,2] x) => (float[1,1,4,4] y) <float[0] e = {}, float[0] c = {}, int64[4] s = {1, 1, 4, 4}> "
        '{ y = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"> '
        "(x, e, c, s) }",
        "(float[2] x) => (float[2] y) <float low = {0}> { y = Clip (x, low) }",
    ],
)
def test_what_mmdet_writes_everywhere_is_legal(text: str) -> None:
    assert judged(text) == {}
