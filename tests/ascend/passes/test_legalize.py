"""``legalize-ascend``: each rewrite as text, the same bits, and a refusal that says where and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.linter.examination import judge
from convertkit_ascend.passes.legalize import LegalizeAscend
from convertkit_ascend.passes.legalizing import rewrite
from convertkit_passes.cast_int64 import CastInt64ToInt32
from convertkit_passes.fold_constants import FoldConstants
from convertkit_passes.prune_mask_head import PruneMaskHead
from convertkit_passes.select_class_masks import SelectClassMasks
from convertkit_passes.simplify import Simplify
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.errors import PassError
from convertkit.graph.graph import open_graph
from convertkit.graph.io import load
from convertkit.graph.light import LightModel
from convertkit.graph.random_inputs import random_inputs
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from convertkit.passes.check import Checker
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.graphtext import apply, parse, show

ROOT = Path(__file__).parents[3]


GOLDEN = {
    "indices of TopK are read as int32": (
        """(float[9] x, float[9,4] t) => (float[3,4] y) <int64[1] k = {3}>
        { v, i = TopK (x, k) y = Gather <axis = 0> (t, i) }""",
        """(float[9] x, float[9,4] t) => (float[3,4] y) <int64[1] k = {3}>
        {
            v, i_on_chip = TopK (x, k)
            Cast_output = Cast <to = 6> (i_on_chip)
            y = Gather <axis = 0> (t, Cast_output)
        }""",
    ),
    "arithmetic on indices becomes int32 where it fits": (
        """(float[9] x, float[90,4] t) => (float[1,3,4] y)
        <int64[1] k = {3}, int64[1] ten = {10}, int64[2] s = {1, 3}>
        { v, i = TopK (x, k) m = Mul (i, ten) r = Reshape (m, s) y = Gather <axis = 0> (t, r) }""",
        """(float[9] x, float[90,4] t) => (float[1,3,4] y)
        <int64[1] k = {3}, int64[2] s = {1, 3}, int32[1] ten_int32 = {10}>
        {
            v, i_on_chip = TopK (x, k)
            Cast_output = Cast <to = 6> (i_on_chip)
            m_int32 = Mul (Cast_output, ten_int32)
            r_int32 = Reshape (m_int32, s)
            y = Gather <axis = 0> (t, r_int32)
        }""",
    ),
    "and stays int64 where it may not": (
        """(float[9] x) => (int64[3] y) <int64[1] k = {3}, int64[1] far = {2000000000}>
        { v, i = TopK (x, k) m = Mul (i, far) y = Neg (m) }""",
        """(float[9] x) => (int64[3] y) <int64[1] far = {2000000000}, int64[1] k = {3}>
        {
            v, i_on_chip = TopK (x, k)
            Cast_output = Cast <to = 6> (i_on_chip)
            i = Cast <to = 7> (Cast_output)
            m = Mul (i, far)
            y = Neg (m)
        }""",
    ),
    "an output keeps the type it promises": (
        "(float[9] x) => (float[3] v, int64[3] i) <int64[1] k = {3}> { v, i = TopK (x, k) }",
        """(float[9] x) => (float[3] v, int64[3] i) <int64[1] k = {3}>
        {
            v, i_on_chip = TopK (x, k)
            Cast_output = Cast <to = 6> (i_on_chip)
            i = Cast <to = 7> (Cast_output)
        }""",
    ),
    "Constant nodes become initializers": (
        """(float[2] x) => (float[2] y)
        { c = Constant <value_floats = [1.0, 2.0]> () d = Constant <value = float[1] {3.0}> () a = Add (x, c)
          y = Mul (a, d) }""",
        """(float[2] x) => (float[2] y) <float[2] c = {1, 2}, float[1] d = {3}>
        { a = Add (x, c) y = Mul (a, d) }""",
    ),
    "what does nothing goes": (
        """(float[2,3] x) => (float[2,3] y)
        <int64[2] same = {2, 3}, int64[2] once = {1, 1}, int64[1] zero = {0}, int64[1] far = {2147483647}>
        {
            a = Relu (x) b = Identity (a) c = Reshape (b, same) d = Tile (c, once) e = Expand (d, once)
            f = Cast <to = 1> (e) g = Slice (f, zero, far) h = Transpose <perm = [0, 1]> (g) i = Concat <axis = 0> (h)
            k = Cast <to = 6> (i) l = Cast <to = 7> (k) m = Cast <to = 6> (l) n = Cast <to = 1> (m)
            y = Abs (n)
        }""",
        """(float[2,3] x) => (float[2,3] y)
        { a = Relu (x) k = Cast <to = 6> (a) n = Cast <to = 1> (k) y = Abs (n) }""",
    ),
    "a copy of an input stays a copy": (
        "(float[2] x) => (float[2] y, float[2] z) { y = Identity (x) r = Relu (x) z = Identity (r) }",
        "(float[2] x) => (float[2] y, float[2] z) { y = Identity (x) z = Relu (x) }",
    ),
    "bounds of Slice lie inside the axis": (
        """(float[2,9] x) => (float[2,3] y)
        <int64[1] s = {-9}, int64[1] e = {2147483647}, int64[1] a = {-1}, int64[1] t = {4}>
        { y = Slice (x, s, e, a, t) }""",
        """(float[2,9] x) => (float[2,3] y)
        <int64[1] a_inside = {1}, int64[1] e_inside = {9}, int64[1] s_inside = {0}, int64[1] t = {4}>
        { y = Slice (x, s_inside, e_inside, a_inside, t) }""",
    ),
    "indices of Gather count from 0": (
        "(float[2,9] x) => (float[2,2] y) <int64[2] i = {-1, 3}> { y = Gather <axis = -1> (x, i) }",
        """(float[2,9] x) => (float[2,2] y) <int64[2] i_counted_from_0 = {8, 3}>
        { y = Gather <axis = -1> (x, i_counted_from_0) }""",
    ),
    "what is empty is left out": (
        """(float[2] x) => (float[2] y) <int64[1] z = {0}>
        { e = Slice (x, z, z) r = Relu (x) c = Concat <axis = 0> (r, e) y = Abs (c) }""",
        "(float[2] x) => (float[2] y) { r = Relu (x) y = Abs (r) }",
    ),
    "nearest Resize says what the chip does": (
        """(float[1,1,2,2] x) => (float[1,1,4,4] y) <float[0] e = {}, float[0] c = {}, int64[4] s = {1, 1, 4, 4}>
        { y = Resize <mode = "nearest", coordinate_transformation_mode = "half_pixel",
            nearest_mode = "round_prefer_floor"> (x, e, c, s) }""",
        """(float[1,1,2,2] x) => (float[1,1,4,4] y) <float[0] c = {}, float[0] e = {}, int64[4] s = {1, 1, 4, 4}>
        { y = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric",
            nearest_mode = "floor"> (x, e, c, s) }""",
    ),
    "attributes the parser insists on are written": (
        "(float[2,3] x) => (float[3,2] y, float[1,1] z) { y = Transpose (x) z = ReduceMax (x) }",
        """(float[2,3] x) => (float[3,2] y, float[1,1] z)
        { y = Transpose <perm = [1, 0]> (x) z = ReduceMax <axes = [0, 1]> (x) }""",
    ),
    "a static output says so": (
        "(float[2,3] x) => (float[n,m] y) { y = Relu (x) }",
        "(float[2,3] x) => (float[2,3] y) { y = Relu (x) }",
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_a_rewrite(case: str) -> None:
    before, after = GOLDEN[case]

    result = apply(LegalizeAscend(), parse(before))

    validate(result)
    assert show(result) == show(after)
    assert not [item for item in judge(result) if item.severity == "error"]


@pytest.mark.parametrize("case", GOLDEN)
def test_a_rewrite_changes_no_bit(case: str) -> None:
    model = parse(GOLDEN[case][0])

    before, after = _outputs(model), _outputs(apply(LegalizeAscend(), model))

    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new, old)
        assert new.dtype == old.dtype


@pytest.mark.parametrize("case", GOLDEN)
def test_a_second_time_nothing_changes(case: str) -> None:
    once = apply(LegalizeAscend(), parse(GOLDEN[case][0]))

    assert apply(LegalizeAscend(), once) is once


def test_every_node_gets_a_name_of_its_own() -> None:
    model = parse(
        """(float[2] x) => (float[2] y) <float[2] w = {1, 2}>
        { a = Relu (x) b = Abs (a) c = Add (b, w) d = Neg (c) e = Exp (d) y = Relu (e) }"""
    )
    for node, name in zip(
        model.proto.graph.node, ["x", "n", "n", "", "w_Initializer_0", "a:b;c"], strict=True
    ):
        node.name = name

    result = apply(LegalizeAscend(), model)

    names = [node.name for node in result.proto.graph.node]
    assert len(set(names)) == 6
    assert names[1] == "n" and names[5] == "a_b_c"
    assert not any("name" in item.rule for item in judge(result))


def test_no_tensor_has_the_empty_name() -> None:
    """The vendor's parser joins an unnamed output to the inputs left out, and Conv's plugin counts its inputs."""
    model = parse(
        """(float[1,2,4,4] x, float[6] s) => (float[1,1,4,4] z, float[2] m) <float[1,2,1,1] w = {1, 2}, float h = {9}>
    { y = Conv <kernel_shape = [1, 1]> (x, w) z = Clip (y, h, h) a, m, b = Split <axis = 0> (s) }""",
        opset=11,
    )
    conv, clip, split = model.proto.graph.node
    clip.input[1] = ""
    wanted = _outputs(model)
    conv.input.append("")
    split.output[0] = split.output[2] = ""

    result = apply(LegalizeAscend(), model)

    nodes = {node.op_type: node for node in result.proto.graph.node}
    conv, clip, split = nodes["Conv"], nodes["Clip"], nodes["Split"]
    assert list(conv.input) == ["x", "w"]
    assert list(clip.input) == ["y", "", "h"]
    assert len(split.output) == 3 and all(split.output) and split.output[1] == "m"
    for before, after in zip(wanted, _outputs(result), strict=True):
        np.testing.assert_array_equal(before, after)


def test_control_flow_is_refused_though_the_parser_takes_it() -> None:
    model = parse(
        """(bool c, float[2] x) => (float[2] y) { y = If (c) <
        then_branch = t () => (float[2] p) { p = Neg (x) },
        else_branch = e () => (float[2] q) { q = Relu (x) } > }""",
        opset=13,
    )

    with pytest.raises(PassError, match=r"it holds a subgraph; .* \[subgraph\]"):
        apply(LegalizeAscend(), model)


def test_value_info_is_what_inference_proves() -> None:
    model = parse(GOLDEN["indices of TopK are read as int32"][0])

    result = apply(LegalizeAscend(), model)

    stated = {value.name: value for value in result.proto.graph.value_info}
    assert set(stated) == {"v", "i_on_chip", "Cast_output"}
    for value in stated.values():
        assert [dim.dim_value for dim in value.type.tensor_type.shape.dim] == [3]


def test_a_vendor_operator_stays_and_its_limits_hold() -> None:
    before = _vendor(5)

    result = apply(LegalizeAscend(), before)

    assert [node.op_type for node in result.proto.graph.node] == ["Relu", "BatchMultiClassNMS"]
    with pytest.raises(PassError, match=r"max_size_per_class must be 1 to 1000, it is 2000"):
        apply(LegalizeAscend(), _vendor(2000))


def test_rules_that_may_be_broken_are_left_alone() -> None:
    graph = "(float[9] x) => (float[1,n] y) { a = NonZero (x) y = Cast <to = 1> (a) }"
    broken = {item.rule for item in judge(apply(LegalizeAscend(allow=("shape-dynamic",)), graph))}

    assert "shape-dynamic" in broken


def test_what_cannot_be_legal_is_listed_on_one_screen() -> None:
    nodes = " ".join(f"a{i} = NonZero (x) b{i} = Cast <to = 1> (a{i})" for i in range(20))
    outputs = ", ".join(f"float[1,n] b{i}" for i in range(20))

    with pytest.raises(PassError) as caught:
        apply(LegalizeAscend(), f"(float[9] x) => ({outputs}) {{ {nodes} }}")

    assert "\n" not in str(caught.value)
    assert "20 places are not legal on ascend310p3, first: unnamed/NonZero" in str(caught.value)
    lines = caught.value.details.splitlines()
    assert lines[0].startswith("unnamed/NonZero")
    assert "has shape (1, ?) [shape-dynamic]; replace the region" in lines[0]
    assert lines[-1] == "... and 8 more"
    assert len(lines) == 13


def test_explain_lists_warnings_too() -> None:
    graph = open_graph(parse("(double[2] x) => (double[2] y) { y = Cast <to = 11> (x) z = Relu (y) }"))

    findings = LegalizeAscend().explain(graph)

    assert {item.status for item in findings} == {"refused"}
    assert any("input-type" in item.why for item in findings)


@given(
    st.integers(2, 9),
    st.integers(-12, 12),
    st.integers(-12, 12),
    st.sampled_from([1, 2, 3, -1, -2]),
    st.sampled_from([0, 1, -1, -2]),
)
@settings(deadline=None, max_examples=40)
def test_slices_keep_their_values(size: int, start: int, end: int, step: int, axis: int) -> None:
    shape = [3, 3]
    shape[axis] = size
    model = parse(
        f"(float[{shape[0]},{shape[1]}] x) => (float[n,m] y) "
        f"<int64[1] s = {{{start}}}, int64[1] e = {{{end}}}, int64[1] a = {{{axis}}}, int64[1] t = {{{step}}}> "
        "{ r = Neg (x) y = Slice (r, s, e, a, t) }"
    )
    if _outputs(model)[0].size == 0:
        with pytest.raises(PassError, match="shape-empty"):
            apply(LegalizeAscend(), model)
        return

    after = apply(LegalizeAscend(), model)

    np.testing.assert_array_equal(_outputs(after)[0], _outputs(model)[0])


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Add", "Sub", "Mul", "Div", "Mod"]), st.sampled_from([1, 3, 7, 80, 70000])
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(deadline=None, max_examples=40)
def test_arithmetic_on_indices_keeps_its_values(chain: list[tuple[str, int]]) -> None:
    weights = ", ".join(f"int64[1] c{i} = {{{value}}}" for i, (_, value) in enumerate(chain))
    nodes = " ".join(f"i{i + 1} = {op} (i{i}, c{i})" for i, (op, _) in enumerate(chain))
    model = parse(
        f"(float[9] x) => (int64[5] y) <int64[1] k = {{5}}, {weights}> "
        f"{{ v, i0 = TopK (x, k) {nodes} y = Neg (i{len(chain)}) }}"
    )

    result = apply(LegalizeAscend(), model)

    np.testing.assert_array_equal(_outputs(result)[0], _outputs(model)[0])


@pytest.mark.parametrize(
    "graph",
    [
        "w = Where (m, i, k) y = Cast <to = 11> (w)",
        "s = Add (i, k) y = Cast <to = 11> (s)",
        "s = Mul (i, k) d = Div (s, k) y = Cast <to = 11> (d)",
        "s = Sub (k, i) g = Gather (s, last) y = Cast <to = 11> (g)",
        "c = Concat <axis = 0> (i, k) r = Slice (c, from, end) y = Cast <to = 11> (r)",
        "e = Expand (k, three) s = Mod (i, e) y = Cast <to = 11> (s)",
        "b = Cast <to = 3> (i) n = Cast <to = 6> (b) w = Cast <to = 7> (n) s = Add (w, k) y = Cast <to = 11> (s)",
        "b = Cast <to = 5> (k) w = Cast <to = 7> (b) s = Mul (w, i) y = Cast <to = 11> (s)",
        "b = Cast <to = 6> (k) w = Cast <to = 7> (b) s = Sub (w, i) y = Cast <to = 11> (s)",
        "y = Add (i, k)",
    ],
)
def test_a_sentinel_beyond_int32_survives_the_narrowing_of_indices(graph: str) -> None:
    picked = np.zeros(300, np.float32)
    picked[[290, 200, 1]] = [3, 2, 1]
    for sentinel in (2**63 - 1, -(2**63), 2**31, -(2**31) + 10, 2**32 + 7, 2**31 - 200, 40000, 1):
        model = parse(
            f"""(float[300] x, bool[3] m) => ({"int64" if graph.startswith("y") else "double"}[3] y)
            <int64[1] k = {{{sentinel}}}, int64[1] three = {{3}}, int64[3] last = {{-1, 0, -2}}, int64[1] from = {{1}},
             int64[1] end = {{9223372036854775807}}> {{ v, i = TopK (x, three) {graph} }}""",
            opset=13,
        )
        edited = open_graph(model)

        rewrite(edited)

        feeds = {"x": picked, "m": np.array([True, False, True])}
        before, after = (open_session(one, optimize=False).run(feeds)["y"] for one in (model, edited.model()))
        assert before.dtype == after.dtype
        assert before.tolist() == after.tolist(), (sentinel, show(edited.model()))


@pytest.mark.slow
def test_mini_is_legal_once_its_regions_are_vendor_operators() -> None:
    """Before that, what is left are the two NonMaxSuppression and the dynamic shapes behind them."""
    from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
    from convertkit_passes.fuse_multilevel_roialign import FuseMultilevelRoialign

    open_plugins()
    stock = load(ROOT / "models" / "maskrcnn" / "mini" / "mini.onnx")
    general, _ = Pipeline((Simplify(), FoldConstants(), CastInt64ToInt32(), SelectClassMasks())).run(stock)
    fused, _ = Pipeline((FuseMultilevelRoialign(), FuseMulticlassNms(), PruneMaskHead())).run(general)
    judge_of = Checker([random_inputs(stock, 0)])

    result, records = Pipeline((LegalizeAscend(),)).run(fused, checker=judge_of)

    with pytest.raises(PassError, match=r"NonMaxSuppression_1.*at most 50000, it is 80000"):
        Pipeline((LegalizeAscend(),)).run(general)
    assert records[0].check is not None and records[0].check.max_error == 0
    assert judge(result) == ()
    for node in result.proto.graph.node:
        node.domain = ""
    assert {item.rule for item in judge(result)} == {"input-dtype-in"}, "float32 into the fp16 kernel"


def _outputs(model: LightModel) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    feeds = {}
    for value in model.proto.graph.input:
        kind = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        feeds[value.name] = (rng.standard_normal([dim.dim_value for dim in kind.shape.dim]) * 5).astype(dtype)
    return list(open_session(model, optimize=False).run(feeds).values())


def _vendor(size: int) -> LightModel:
    model = parse(
        f"""(float[1,9,1,4] b, float[1,9,3] s) => (float[1,5,4] o)
        {{
            r = Relu (s)
            o, q, c, n = BatchMultiClassNMS <iou_threshold = 0.5, score_threshold = 0.1,
                max_size_per_class = {size}, max_total_size = 5> (b, r)
        }}""",
        domains=(ops.DOMAIN,),
    )
    model.proto.graph.node[1].domain = ops.DOMAIN
    return model


@pytest.mark.parametrize("opset", [10, 11])
def test_a_clip_without_bounds_makes_infinite_floats_finite(opset: int) -> None:
    model = parse("(float[3] x) => (float[3] y) { c = Clip (x) y = Neg (c) }", opset=opset)
    edited = open_graph(model)

    rewrite(edited)

    feeds = {"x": np.array([np.inf, -np.inf, 1], np.float32)}
    before, after = (open_session(one, optimize=False).run(feeds)["y"] for one in (model, edited.model()))
    assert before.tolist() == after.tolist()


def test_a_clip_of_integers_without_bounds_does_nothing() -> None:
    model = parse("(int32[3] x) => (int32[3] y) { c = Clip (x) y = Abs (c) }", opset=12)

    assert [node.op_type for node in apply(LegalizeAscend(), model).proto.graph.node] == ["Abs"]


def test_int32_arithmetic_that_wraps_before_it_is_widened_is_not_believed_to_fit() -> None:
    model = parse(
        """(float[1,11] x) => (double[1] y) <int32 c = {2147483647}, int64 d = {2147483647}>
        {
            i = ArgMax <axis = 1, keepdims = 0> (x)
            n = Cast <to = 6> (i)
            a = Add (n, c)
            w = Cast <to = 7> (a)
            s = Sub (w, d)
            y = Cast <to = 11> (s)
        }""",
        opset=13,
    )
    edited = open_graph(model)

    rewrite(edited)

    for place in range(11):
        feeds = {"x": np.eye(11, dtype=np.float32)[place : place + 1]}
        before, after = (open_session(one, optimize=False).run(feeds)["y"] for one in (model, edited.model()))
        assert before.tolist() == after.tolist()


def test_indices_stay_int64_where_onnxruntime_has_no_other_kernel() -> None:
    model = parse(
        """(float[4] x) => (float[1,4] y) <int64[1] k = {1}, int64[1] depth = {4}, float[2] v = {0, 1}>
        { t, i = TopK (x, k) y = OneHot (i, depth, v) }"""
    )

    result = apply(LegalizeAscend(), model)

    np.testing.assert_array_equal(_outputs(result)[0], _outputs(model)[0])


@pytest.mark.parametrize("size", [0, 3])
def test_an_index_outside_its_axis_stays_outside(size: int) -> None:
    edited = open_graph(
        parse(f"(float[{size}] x) => (float[1] y) <int64[1] i = {{-4}}> {{ y = Gather (x, i) }}")
    )

    rewrite(edited)

    assert show(edited.model()).count("i = {-4}") == 1
