"""To ATC and back: the same graph, in the place where each side looks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.handover import for_atc, from_atc
from convertkit_ascend.twin import lower
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.errors import GraphError
from convertkit.graph.io import load
from convertkit.graph.light import LightModel
from convertkit.graph.random_inputs import random_inputs
from convertkit.graph.session import open_session
from convertkit.graph.validate import validate
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests.ascend.linter.graphs import lint, named
from tests.graphtext import show

ROOT = Path(__file__).parents[3]

NMS = """(float[1,9,1,4] b, float[1,9,3] s) => (float[1,5,4] o)
{ r = Relu (s) o, q, c, n = BatchMultiClassNMS <iou_threshold = 0.5, score_threshold = 0.1,
  max_size_per_class = 5, max_total_size = 5> (b, r) }"""


@pytest.fixture(autouse=True, scope="module")
def plugins() -> None:
    open_plugins()


def of_pipeline(text: str = NMS) -> LightModel:
    """The graph as it is inside the pipeline: vendor operators in convertkit's domain."""
    model = named(text, domains=(ops.DOMAIN,))
    for node in model.proto.graph.node:
        node.domain = ops.DOMAIN if node.op_type in ops.names() else ""
    return model


def imports(model: LightModel) -> dict[str, int]:
    return {item.domain: item.version for item in model.proto.opset_import}


def test_vendor_operators_move_to_the_default_domain() -> None:
    model = of_pipeline()

    result = for_atc(model)

    assert [node.domain for node in result.proto.graph.node] == ["", ""]
    assert imports(result) == {"": 11}
    assert [node.domain for node in model.proto.graph.node] == ["", ops.DOMAIN], "the original is as it was"


def test_and_back_nothing_is_different() -> None:
    model = of_pipeline()

    result = from_atc(for_atc(model))

    validate(result)
    assert imports(result) == imports(model)
    assert show(result) == show(model)


def test_twice_is_once() -> None:
    once = for_atc(of_pipeline())

    assert for_atc(once).digest() == once.digest()


def test_a_graph_without_vendor_operators_comes_back_as_it_is() -> None:
    model = named("(float[2] x) => (float[2] y) { y = Relu (x) }")

    assert from_atc(model) is model
    assert show(for_atc(model)) == show(model)


def test_the_file_for_atc_says_nothing_it_need_not() -> None:
    model = of_pipeline()
    graph = model.proto.graph
    graph.node[0].doc_string = "/home/somebody/model.py(12)"
    model.proto.ir_version = 0
    model.proto.opset_import.append(onnx.helper.make_opsetid("ai.onnx", 13))
    graph.value_info.append(onnx.helper.make_tensor_value_info("q", 1, [1, 5]))

    result = for_atc(model)

    assert not result.proto.graph.node[0].doc_string
    assert result.proto.ir_version == 7, "the least that opset 13 needs"
    assert imports(result) == {"": 13}, "the last import counts"
    assert [value.name for value in result.proto.graph.value_info] == ["q"]


def test_initializers_are_no_inputs() -> None:
    model = named("(float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add (x, w) }")
    model.proto.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [2]))

    result = for_atc(model)

    assert [value.name for value in result.proto.graph.input] == ["x"]


def test_no_output_is_unnamed_and_no_input_left_out_at_the_end() -> None:
    """The parser joins empty names, and plugins count what is listed."""
    model = of_pipeline(
        NMS.replace("[1,9,3] s)", "[1,9,3] s, float[1,2,4,4] x)")
        .replace("o)", "o, float[1,1,4,4] y) <float[1,2,1,1] w = {1, 2}, float high = {9}>", 1)
        .replace("(b, r) }", "(b, r) y = Conv <kernel_shape = [1, 1]> (x, w) z = Clip (y, high, high) }")
    )
    nms, conv, clip = model.proto.graph.node[1:]
    conv.input.append("")
    clip.input[1] = ""
    nms.output[1], nms.output[3] = "", ""

    result = for_atc(model)

    nms, conv, clip = result.proto.graph.node[1:]
    assert list(nms.output) == ["o", "n1_output_0", "c"], "what is optional and last goes"
    assert list(conv.input) == ["x", "w"]
    assert list(clip.input) == ["y", "", "high"], "in the middle an empty name stays: nothing has that name"
    assert "name-empty" in {item.rule for item in lint(model.proto)}
    assert not {"name-empty", "input-left-out"} & {item.rule for item in lint(result)}
    assert for_atc(result).digest() == result.digest()


def test_outputs_that_count_keep_their_number() -> None:
    model = named("(float[6] x) => (float[2] y) { a, y, b = Split <axis = 0> (x) }")
    model.proto.graph.node[0].output[0] = model.proto.graph.node[0].output[2] = ""

    (node,) = for_atc(model).proto.graph.node

    assert list(node.output) == ["n0_output_0", "y", "n0_output_1"]


def test_an_opset_without_the_plugins_is_refused() -> None:
    model = of_pipeline()
    model.proto.opset_import[0].version = 17

    with pytest.raises(
        GraphError, match=r"node 'n1': BatchMultiClassNMS needs opset 11 to 16, the model has 17"
    ):
        for_atc(model)


def test_an_operator_that_is_none_is_refused() -> None:
    model = of_pipeline()
    model.proto.graph.node[1].op_type = "RoiExtracter"

    with pytest.raises(GraphError, match=r"RoiExtracter is not in convertkit.ascend \(vendor operators are"):
        for_atc(model)


NAMES = st.sampled_from(["", "x", "n", "n_0", "Relu", "Relu_0", "w_Initializer_0", "y"])


@given(st.lists(NAMES, min_size=4, max_size=4))
@settings(deadline=None, max_examples=60)
def test_names_are_unique_whatever_they_were(names: list[str]) -> None:
    model = named(
        "(float[2] x) => (float[2] y) <float[2] w = {1, 2}> { a = Relu (x) b = Add (a, w) c = Abs (b) y = Relu (c) }"
    )
    for node, name in zip(model.proto.graph.node, names, strict=True):
        node.name = name

    result = for_atc(model)

    found = [node.name for node in result.proto.graph.node]
    assert not {"", "x", "w_Initializer_0"} & set(found)
    assert len(set(found)) == 4
    for old in set(names) - {"", "x", "w_Initializer_0"}:
        assert found[names.index(old)] == old, "the first that has a good name keeps it"
    assert not [item for item in lint(result) if "name" in item.rule]


NPU = NMS.replace("BatchMultiClassNMS <", "NPUBatchNms <change_coordinate_frame = FRAME, transpose_box = 0, ")


@pytest.mark.parametrize("domain", ["", "npu"])
def test_torch_npus_name_of_the_same_operator_is_known(domain: str) -> None:
    model = named(NPU.replace("FRAME", "0"), domains=(domain,) if domain else ())
    model.proto.graph.node[1].domain = domain

    result = from_atc(model)

    validate(result)
    assert imports(result) == {"": 11, ops.DOMAIN: 1}
    assert show(result) == show(of_pipeline())


def test_what_has_no_executable_semantics_stays() -> None:
    frame = named(NPU.replace("FRAME", "1"))
    decode = named(
        "(float[2,4] r, float[2,4] d) => (float[2,4] y) { y = BoundingBoxDecode <max_shape = [8, 8]> (r, d) }"
    )

    assert from_atc(frame) is frame
    assert from_atc(decode) is decode


def test_the_file_computes_what_the_graph_computed(tmp_path: Path) -> None:
    model = of_pipeline()
    feeds = random_inputs(model, 0)

    before = open_session(lower(model)).run(feeds)
    after = open_session(lower(from_atc(for_atc(model)))).run(feeds)

    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)


@pytest.mark.slow
def test_mini_is_ready_for_atc(tmp_path: Path) -> None:
    """All passes of the target after the model's; what is left are remarks on the fp16-only kernel."""
    from convertkit.graph.io import save
    from tests.ascend.chip import CHIP

    plugins = open_plugins()
    stock = load(ROOT / "models" / "maskrcnn" / "mini" / "mini.onnx")
    model_passes = (
        "simplify",
        "fold-constants",
        "cast-int64-to-int32",
        "set-opset-window",
        "select-class-masks",
    )
    steps = Pipeline.parse([*model_passes, *CHIP.pipeline], plugins.passes)
    result, _ = steps.run(stock)
    save(for_atc(result), tmp_path / "atc.onnx")

    found = lint(tmp_path / "atc.onnx")

    assert found == ()
    back = from_atc(load(tmp_path / "atc.onnx"))
    assert show(back) == show(from_atc(for_atc(back)))
    open_session(lower(back)).run(random_inputs(back, 0))
