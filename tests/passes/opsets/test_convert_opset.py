"""``convert-opset``: what single operators become, that they compute the same, and what is refused."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from convertkit_passes.convert_opset import ConvertOpset
from convertkit_passes.opsets import converter

from convertkit.api.passes import LightModel
from convertkit.errors import PassError, UsageError
from convertkit.graph.light import attach, detach
from convertkit.graph.opsets import opsets_of
from tests.graphtext import apply, parse, show
from tests.passes.opsets.cases import DOWN, REFUSED, UP


def results(model: LightModel) -> list[Any]:
    """Of random inputs from -2 to 2; RoIs lie inside 8 x 8 pixels."""
    random, feed = np.random.default_rng(0), {}
    proto = attach(model)
    for value in proto.graph.input:
        kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        feed[value.name] = random.uniform(-2, 2, shape).astype(kind)
        if value.name == "r":
            feed["r"] = np.array([[1.3, 0.7, 6.1, 5.2]], np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feed)


def assert_same(before: LightModel, to: int, absolute: float = 1e-6) -> None:
    """A graph in another opset is a valid one and computes the same of one random input."""
    after = ConvertOpset(to=to).run(before)

    assert after.proto.opset_import[0].version == to
    onnx.checker.check_model(attach(after), full_check=True)
    for old, new in zip(results(before), results(after), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-5, atol=absolute)


@pytest.mark.parametrize("name", DOWN)
@pytest.mark.parametrize("to", [11, 12, 13, 16, 17])
def test_an_operator_computes_the_same_in_earlier_opsets(name: str, to: int) -> None:
    opset, text = DOWN[name]
    if (name, to) in {("GridSample", 11), ("GridSample", 12), ("GridSample", 13)}:
        pytest.skip("there is no GridSample")

    assert_same(parse(text, opset=opset), to)


@pytest.mark.slow
@pytest.mark.parametrize("name", UP)
def test_an_operator_computes_the_same_in_later_opsets(name: str) -> None:
    opset, text = UP[name]
    for to in (13, 17, 18, 21):
        if opset < to:
            assert_same(parse(text, opset=opset), to)


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_opset_cannot_say_is_refused_with_the_node_and_a_remedy(name: str) -> None:
    opset, to, text, why = REFUSED[name]

    with pytest.raises(PassError) as caught:
        apply(ConvertOpset(to=to), parse(text.replace("[here] ", ""), opset=opset))

    assert str(caught.value).partition("): ")[2] == why
    assert str(caught.value).startswith("node 'y' (")


def test_what_earlier_opsets_write_otherwise() -> None:
    text = """(float[2,5,4] x) => (float[2,3,1] y, float[2,2,1] z) <int64[1] a = {-1}>
    {
        m = ReduceMax (x, a)
        y, z = Split <axis = 1, num_outputs = 2> (m)
    }"""

    after = apply(ConvertOpset(to=11), text, opset=18)

    assert show(after) == show("""(float[2,5,4] x) => (float[2,3,1] y, float[2,2,1] z)
    {
        m = ReduceMax <axes = [-1]> (x)
        y, z = Split <axis = 1, split = [3, 2]> (m)
    }""")


def test_a_graph_of_that_opset_is_left() -> None:
    model = parse("(float[2] x) => (float[2] y) { y = Relu (x) }", opset=16)

    assert apply(ConvertOpset(to=16), model) is model


def test_operators_of_other_domains_stay_between_those_that_change() -> None:
    text = """(float[1,6,1,4] boxes, float[1,6,3] x) => (float[1,5] y) <int64[1] a = {2}>
    {
        h = far.Gelu <k = 3> (x)
        b, s, c, n = convertkit.heads.MulticlassNms <score_threshold = 0.1, iou_threshold = 0.5, max_size_per_class = 4,
            max_total_size = 5> (boxes, h)
        m = ReduceMax <keepdims = 0> (b, a)
        y = far.End (m, n)
    }"""

    after = ConvertOpset(to=16).run(parse(text, opset=18, domains=["far", "convertkit.heads"]))

    kinds = [(node.domain, node.op_type) for node in after.proto.graph.node]
    assert kinds == [
        ("far", "Gelu"),
        ("convertkit.heads", "MulticlassNms"),
        ("", "ReduceMax"),
        ("far", "End"),
    ]
    assert opsets_of(after.proto) == {"": 16, "far": 1, "convertkit.heads": 1}


def test_weights_stay_beside_the_graph() -> None:
    text = """(float[1,512] x) => (float[1] y) <int64[1] a = {1}>
    { p = MatMul (x, w) g = Gelu (p) y = ReduceMax <keepdims = 0> (g, a) }"""
    proto = parse(text, opset=20).proto
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.eye(512, dtype=np.float32), "w"))
    before = detach(proto)

    after = ConvertOpset(to=11).run(before)

    assert after.weights == before.weights
    assert [tensor.name for tensor in after.detached()] == ["w"]
    np.testing.assert_allclose(results(after)[0], results(before)[0], rtol=1e-5)


def test_every_refusal_is_explained() -> None:
    text = """(float[4] x, int64[1] a) => (float[1] y, float[1] z)
    { h = Gelu (x) y = ReduceMax (h, a) z = ReduceMin (h, a) }"""
    model = parse(text, opset=20)

    with pytest.raises(PassError, match=r"'y' \(ReduceMax\).*and 1 more: opt --explain convert-opset"):
        ConvertOpset(to=16).run(model)
    said = ConvertOpset(to=16).explain(model)

    assert [(item.status, item.where) for item in said] == [
        ("matched", "Gelu"), ("refused", "node 'y' (ReduceMax)"), ("refused", "node 'z' (ReduceMin)")
    ]  # fmt: skip


@pytest.mark.parametrize("to", [10, 1 + onnx.defs.onnx_opset_version()])
def test_opsets_outside_of_what_is_known(to: int) -> None:
    with pytest.raises(
        UsageError, match=f"to is {to}, onnx .* converts to 11 to {onnx.defs.onnx_opset_version()}"
    ):
        apply(ConvertOpset(to=to), "(float[2] x) => (float[2] y) { y = Relu (x) }")


def test_functions_are_to_be_inlined_first() -> None:
    model = parse("(float[2] x) => (float[2] y) { y = own.Twice (x) }", opset=18, domains=["own"])
    function = onnx.parser.parse_function(
        '<domain: "own", opset_import: ["": 18]> Twice (x) => (y) { y = Add (x, x) }'
    )
    model.proto.functions.append(function)

    with pytest.raises(
        PassError, match=r"function 'Twice' has an opset of its own .put inline-functions in front"
    ):
        ConvertOpset(to=16).run(model)


def test_a_crash_of_the_converter_names_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter, "CHILD", [sys.executable, "-c", "import os; os.abort()"])
    model = parse(UP["Softmax"][1], opset=11)
    model.proto.graph.node[0].name = "scores"

    with pytest.raises(
        PassError, match=r"node 'scores' \(Softmax\): onnx's version converter .*for opset 13:"
    ):
        ConvertOpset(to=13).run(model)
