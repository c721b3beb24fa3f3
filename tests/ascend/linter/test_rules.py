"""The rules beside the table: opset, names, types on the chip, shapes, vendor operators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.linter.examination import judge
from convertkit_ascend.linter.rules.resize import same_as_floor
from convertkit_ascend.linter.view import View
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from convertkit.errors import UnknownNameError
from convertkit.graph.session import open_session
from tests.ascend.linter.cases import ROI
from tests.ascend.linter.graphs import judged, lint, named

TOPK = """(float[9] x) => (float[3] v, int64[3] y) <int64[1] k = {3}, int64[1] one = {1}>
{ v, i = TopK (x, k) OP }"""


@pytest.mark.parametrize(
    ("opset", "severity"), [(7, "error"), (8, "warning"), (10, "warning"), (11, ""), (18, ""), (19, "error")]
)
def test_the_opset_window(opset: int, severity: str) -> None:
    """The manual has 11 to 18, the open parser 8 to 18."""
    found = judged("(float[2] x) => (float[2] y) { y = Relu (x) }", opset=opset)

    said = found.get(("", "opset-window"))
    assert (said.severity if said else "") == severity


@pytest.mark.parametrize(
    ("attribute", "shown"),
    [
        (onnx.helper.make_attribute("extra", np.arange(500).tolist()), "[0, 1, 2, 3, 4, 5, 6, 7, ... 500 entries]"),
        (onnx.helper.make_attribute("extra", onnx.numpy_helper.from_array(np.ones((500, 2), np.float32))),
         "a tensor of float32 [500, 2]"),
        (onnx.helper.make_attribute("extra", "ä" * 5000), "ä" * 77 + "..."),
        (onnx.helper.make_attribute("extra", [onnx.TensorProto(data_type=99)] * 2),
         "[a tensor of no known type [], a tensor of no known type []]"),
        (onnx.helper.make_attribute("extra", onnx.helper.make_tensor_type_proto(1, [2])), "a type"),
        (onnx.helper.make_attribute("extra", onnx.helper.make_sparse_tensor(
            onnx.helper.make_tensor("v", 1, [1], [1.0]), onnx.helper.make_tensor("i", 7, [1], [0]), [9])),
         "a sparsetensor"),
    ],
    ids=["list", "tensor", "text", "tensors", "type", "sparse"],
)  # fmt: skip
def test_the_value_of_an_attribute_is_named_or_cut(attribute: onnx.AttributeProto, shown: str) -> None:
    model = named("(float[2] x) => (float[2] y) { y = Relu (x) }")
    model.proto.graph.node[0].attribute.append(attribute)

    (found,) = judge(model)

    assert found.why == f"the parser does not read extra = {shown}"


def test_an_unknown_operator_is_named_with_what_is_near() -> None:
    found = judged(
        "(float[4] x) => (float[4] y) { y = Foo (x) z = RoiExtractor (x, x) w = Loop (x) }", opset=17
    )

    assert "express it" in found["n0", "op-unknown"].fix
    assert "known at opsets 8 to 16" in found["n1", "op-unknown"].fix
    assert ("n2", "op-unknown") in found


def test_a_domain_must_be_imported() -> None:
    assert ("n0", "domain-import") in judged("(float[2] x) => (float[2] y) { y = vendor.Spread (x) }")


def test_names_live_in_one_space() -> None:
    model = named(
        "(float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Relu (x) b = Abs (a) c = Add (b, w) "
        "d = Neg (c) e = Exp (d) y = Sqrt (e) }"
    )
    for node, name in zip(
        model.proto.graph.node, ["x", "same", "same", "", "w_Initializer_0", "a:b"], strict=True
    ):
        node.name = name

    found = [(item.node, item.rule, item.severity) for item in judge(model)]

    assert found == [
        ("x", "node-name", "error"),
        ("same", "node-name", "error"),
        ("same", "node-name", "error"),
        ("w_Initializer_0", "node-name", "error"),
        ("<d>", "node-unnamed", "warning"),
        ("a:b", "node-name", "warning"),
    ]


def test_two_nodes_may_not_write_one_tensor() -> None:
    model = named("(float[2] x) => (float[2] y) { y = Relu (x) z = Abs (x) }")
    model.proto.graph.node[1].output[0] = "y"

    found = judge(model)

    assert {(item.node, item.rule) for item in found if item.rule == "tensor-twice"} == {
        ("n0", "tensor-twice"),
        ("n1", "tensor-twice"),
    }


def test_what_is_written_twice_is_told_in_the_order_of_the_file() -> None:
    twice = "v, i = TopK (x, k)"
    model = named(f"(float[9] x) => (float[3] v) <int64[1] k = {{3}}> {{ {twice} {twice} }}")

    lines = [(item.node, item.why) for item in judge(model) if item.rule == "tensor-twice"]

    assert lines == [(node, f"2 nodes write {name}") for node in ("n0", "n1") for name in ("v", "i")]


def test_a_graph_has_inputs_of_a_type_the_compiler_takes() -> None:
    found = judged("(int64[2] x) => (int64[2] y) { y = Neg (x) }")

    assert found["x", "input-type"].severity == "warning"


def test_a_graph_without_inputs_is_none() -> None:
    assert ("", "interface") in judged("() => (float[2] y) <float[2] x = {1, 2}> { y = Relu (x) }")


def test_the_indices_of_topk_are_int32_wherever_they_are_passed_on() -> None:
    passed = judged(TOPK.replace("OP", "s = Reshape (i, k) y = Add (s, one)").replace("k = {3}", "k = {3}"))
    mixed = judged(TOPK.replace("OP", "y = Concat <axis = 0> (i, one)").replace("int64[3] y", "int64[4] y"))
    cast = judged(TOPK.replace("OP", "j = Cast <to = 6> (i) w = Cast <to = 7> (j) y = Add (w, one)"))

    assert "int32 and int64" in passed["n2", "same-dtype"].why
    assert ("y", "output-type") in passed
    assert "int32 and int64" in mixed["n1", "type-mixed"].why
    assert cast == {}


def test_types_without_a_kernel() -> None:
    found = judged(
        "(float[2,2] x) => (double[2,2] y, bool[2,2] z, int16[2,2] w, int64[2,2] e) <int64[2] s = {2, 2}> "
        "{ d = Cast <to = 11> (x) y = Relu (d) b = Cast <to = 9> (x) z = Not (b) w = Cast <to = 5> (b) "
        "l = Cast <to = 7> (x) e = Expand (l, s) }"
    )

    assert found["n0", "cast-pair"].severity == "warning"
    assert found["n1", "type-aicpu"].severity == "warning" or found["n1", "type"].severity == "error"
    assert found["n4", "cast-pair"].severity == "warning"
    assert "AI CPU" in found["n6", "type-aicpu"].why
    assert ("n2", "cast-pair") not in found and ("n3", "type") not in found


def test_only_the_node_where_a_shape_opens_is_named() -> None:
    found = judged(
        "(float[9] x) => (int64[n,1] y) { a = NonZero (x) b = Transpose <perm = [1, 0]> (a) y = Abs (b) }"
    )

    assert [node for node, rule in found if rule == "shape-dynamic"] == ["n0"]
    assert "(1, ?)" in found["n0", "shape-dynamic"].why


def test_an_open_input_is_named() -> None:
    assert ("x", "shape-dynamic") in judged("(float[n] x) => (float[n] y) { y = Relu (x) }")


def test_nothing_is_computed_from_nothing() -> None:
    found = judged(
        "(float[2] x) => (float[2] y) <int64[1] z = {0}, float[0] w = {}> "
        "{ e = Slice (x, z, z) y = Concat <axis = 0> (x, e) }"
    )

    assert [node for node, rule in found if rule == "shape-empty"] == ["n0"]


def test_value_info_is_not_believed() -> None:
    model = named("(float[9] x) => (float[1,n] y) { a = NonZero (x) b = Cast <to = 1> (a) y = Relu (b) }")
    model.proto.graph.value_info.add().CopyFrom(
        named("(int64[1,4] a) => (int64[1,4] a) {}").proto.graph.input[0]
    )

    assert any(item.rule == "shape-dynamic" for item in judge(model))


def test_a_graph_that_contradicts_itself_is_one_line() -> None:
    found = judged("(float[2] x, float[3] z) => (float[2] y) { y = Add (x, z) }")

    assert ("", "valid-graph") in found


def test_subgraphs_are_named() -> None:
    found = judged(
        """(bool c, float[2] x) => (float[2] y)
    {
        y = If (c) <
            then_branch = t () => (float[2] p) { p = Neg (x) },
            else_branch = e () => (float[2] q) { q = Relu (x) }
        >
    }"""
    )

    assert found["n0", "subgraph"].severity == "warning", "the parser takes If"
    assert ("n0", "attr-unread") not in found


def test_an_attribute_of_another_type_is_ignored_by_the_parser() -> None:
    model = named("(float[2,3] x) => (float[2,3] y) { y = Softmax <axis = 1> (x) }")
    attribute = model.proto.graph.node[0].attribute[0]
    attribute.ClearField("i")
    attribute.type, attribute.f = attribute.FLOAT, 1.0

    assert any(item.rule == "attr-type" and "INT" in item.why for item in judge(model))


def test_an_attribute_nobody_reads_matters_where_it_is_not_the_default() -> None:
    text = (
        "(float[1,1,2,2] x) => (float[1,1,4,4] y) <float[0] e = {{}}, float[4] s = {{1, 1, 2, 2}}> "
        '{{ y = Resize <mode = "linear", {}> (x, e, s) }}'
    )

    assert ("n0", "attr-unread") in judged(text.format("exclude_outside = 1"))
    assert ("n0", "attr-unread") not in judged(text.format("exclude_outside = 0"))


def test_vendor_operators_speak_for_themselves() -> None:
    text = """(float[1,9,1,4] b, float[1,9,3] s) => (float[1,5,4] o)
    {
        o, q, c, n = convertkit.ascend.BatchMultiClassNMS
            <iou_threshold = 0.5, score_threshold = 0.1, max_size_per_class = SIZE, max_total_size = 5> (b, s)
    }"""

    fine = _vendor(text.replace("SIZE", "5"))
    large = _vendor(text.replace("SIZE", "2000"))

    assert not any(item.severity == "error" for item in fine)
    assert any("max_size_per_class must be 1 to 1000" in item.why for item in large)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ops.Fault("reworded"), True),
        (ops.Fault("reworded", attribute="aligned"), True),
        (ops.Fault("reworded", attribute="pool_mode"), False),
        (ops.Fault("reworded", is_open=True), False),
    ],
    ids=["a fault", "of an attribute", "of one that the table looks at", "of an open size"],
)
def test_what_is_said_elsewhere_is_known_by_its_fields(
    monkeypatch: pytest.MonkeyPatch, fault: ops.Fault, told: bool
) -> None:
    reworded = replace(ops.ROI_EXTRACTOR, sizes=lambda attributes, shapes: [fault])
    monkeypatch.setitem(ops.registry._ops, "RoiExtractor", reworded)

    found = [item.why for item in lint(named(ROI)) if item.rule == "vendor-limit"]

    assert found == ["reworded"] * told


def test_an_unknown_chip_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="ascend310p3"):
        judge(named("(float[2] x) => (float[2] y) { y = Relu (x) }"), "ascend310p2")


MODES = [
    (place, mode)
    for place in ("asymmetric", "tf_half_pixel_for_nn", "half_pixel", "pytorch_half_pixel", "align_corners")
    for mode in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
]


@example(7, 9, ("half_pixel", "floor"))  # a place that is whole, but not in float64
@example(7, 2, ("asymmetric", "round_prefer_ceil"))  # one that is half, but not in float32
@given(st.integers(1, 12), st.integers(1, 24), st.sampled_from(MODES))
@settings(deadline=None, max_examples=60)
def test_nearest_pixels_are_those_of_onnxruntime(size: int, wanted: int, modes: tuple[str, str]) -> None:
    assume(not (modes[0] == "align_corners" and wanted == 1))
    model = named(
        f"(float[1,1,1,{size}] x) => (float[1,1,1,{wanted}] y) "
        f"<float[0] e = {{}}, float[0] c = {{}}, int64[4] s = {{1, 1, 1, {wanted}}}> "
        f'{{ y = Resize <mode = "nearest", coordinate_transformation_mode = "{modes[0]}", '
        f'nearest_mode = "{modes[1]}"> (x, e, c, s) }}'
    )
    row = np.arange(size, dtype=np.float32).reshape(1, 1, 1, size)

    taken = open_session(model, optimize=False).run({"x": row})["y"].reshape(-1)

    plain = np.arange(wanted) * size // wanted
    assert same_as_floor(View(model).nodes[0]) == bool(np.array_equal(taken, plain))


def test_a_rounding_the_chip_does_not_have_is_an_error() -> None:
    text = (
        "(float[1,1,1,4] x) => (float[1,1,1,8] y) <float[0] e = {}, float[4] s = {1, 1, 1, 2}> "
        '{ y = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "MODE"> '
        "(x, e, s) }"
    )

    assert ("n0", "resize-rounding") in judged(text.replace("MODE", "round_prefer_ceil"))
    assert ("n0", "resize-rounding") not in judged(text.replace("MODE", "round_prefer_floor"))


def _vendor(text: str) -> list[object]:
    plain = text.replace("convertkit.ascend.", "")
    model = named(plain, domains=(ops.DOMAIN,))
    for node in model.proto.graph.node:
        node.domain = ops.DOMAIN
    return list(judge(model))
