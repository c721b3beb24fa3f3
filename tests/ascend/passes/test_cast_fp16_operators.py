"""``cast-fp16-operators``: float16 where the chip has nothing else, and no other result on the chip."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.atc import options_from
from convertkit_ascend.linter.examination import examine
from convertkit_ascend.linter.subject import Keeps
from convertkit_ascend.numerics import Effects, emulate
from convertkit_ascend.passes.cast_fp16_operators import CastFp16Operators

from convertkit.api.passes import UsageError
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from tests.ascend.chip import CHIP, told
from tests.ascend.linter.graphs import lint, named
from tests.graphtext import apply, parse, rewritten, text

ops.register_schemas()

NMS = """
    (float[1,5,1,4] boxes, float[1,5,3] scores, int32[1] valid) => (float[1,4,4] nmsed_boxes, int32[1] nmsed_num)
    {
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.ascend.BatchMultiClassNMS <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.25> (boxes, scores, , valid)
    }
"""

NETWORK = """
    (float[1,3,16,16] x) => (float[1,4,4,4] y)
    <float scale = {0.3}>
    {
        c = Conv <pads = [1, 1, 1, 1]> (x, w, b)
        r = Relu (c)
        p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (r)
        a = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (p)
        d = Conv (a, v)
        y = Mul (d, scale)
    }
"""


def network(seed: int = 0) -> LightModel:
    """With weights that float16 rounds."""
    random = np.random.default_rng(seed)
    model = named(NETWORK)
    for name, shape in (("w", (4, 3, 3, 3)), ("b", (4,)), ("v", (4, 4, 1, 1))):
        values = random.normal(size=shape).astype(np.float32)
        model.proto.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return model


def test_floating_inputs_and_outputs_are_cast_and_integers_are_not() -> None:
    assert rewritten(CastFp16Operators(), NMS) == text(
        """
        (float[1,5,1,4] boxes, float[1,5,3] scores, int32[1] valid) => (float[1,4,4] nmsed_boxes, int32[1] nmsed_num)
        {
            boxes_float16 = Cast <to = 10> (boxes)
            scores_float16 = Cast <to = 10> (scores)
            nmsed_boxes_float16, nmsed_scores_float16, nmsed_classes_float16, nmsed_num = """
        """convertkit.ascend.BatchMultiClassNMS <iou_threshold = 0.5, max_size_per_class = 4, max_total_size = 4, """
        """score_threshold = 0.25> (boxes_float16, scores_float16, , valid)
            nmsed_boxes = Cast <to = 1> (nmsed_boxes_float16)
        }
        """
    )


def test_constants_are_stored_so_and_no_cast_stands_between_two_such_operators() -> None:
    after = apply(
        CastFp16Operators(),
        """(float[1,1,4,4] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {0.1}>
        { c = Conv (x, w) y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c) }""",
    )

    assert [node.op_type for node in after.proto.graph.node] == ["Cast", "Conv", "MaxPool", "Cast"]
    assert {item.name: item.data_type for item in after.proto.graph.initializer} == {"w_float16": 10}


def test_twice_is_once() -> None:
    once = apply(CastFp16Operators(), NMS)

    assert apply(CastFp16Operators(), once) is once


def test_only_what_is_asked_for_is_cast() -> None:
    model = network()

    assert apply(CastFp16Operators(only=("BatchMultiClassNMS",)), model) is model
    with pytest.raises(UsageError, match="Relu is no operator that has float16 kernels only"):
        CastFp16Operators(only=("Relu",))


def test_what_has_a_kernel_in_float32_on_some_engine_stays() -> None:
    kinds = {node.op_type for node in apply(CastFp16Operators(), network()).proto.graph.node}
    found = CastFp16Operators().explain(open_graph(network()))

    assert kinds == {"Cast", "Conv", "Relu", "MaxPool", "AveragePool", "Mul"}
    assert [item.where for item in found] == ["n0", "n2", "n4"]


def test_explain_says_how_much_is_rounded() -> None:
    graph = parse(
        NMS.replace("{", "<float low = {-3000}, float high = {3000}> { moved = Clip (boxes, low, high)", 1)
    )
    graph.proto.graph.node[-1].input[0] = "moved"

    (finding,) = CastFp16Operators().explain(open_graph(graph))

    assert finding.why == "its kernels are float16 only; values up to 3000 are rounded by up to 1"


@pytest.mark.parametrize("seed", range(3))
def test_the_chip_computes_the_same_bits_with_and_without_explicit_casts(seed: int) -> None:
    """What is cast here is cast by the compiler anyway: nothing is rounded twice, nothing is left out."""
    before, random = network(seed), np.random.default_rng(seed)
    inputs = {"x": random.normal(size=(1, 3, 16, 16)).astype(np.float32)}

    old, new = (emulate(item, Effects()).run(inputs) for item in (before, apply(CastFp16Operators(), before)))

    np.testing.assert_array_equal(new["y"], old["y"])


def test_explicit_casts_round_even_where_no_precision_may_be_lowered() -> None:
    """onnxruntime alone would drop the rounding: it computes such a Conv in float32 and joins the casts."""
    after = apply(
        CastFp16Operators(),
        "(float[1,1,2,2] x) => (float[1,1,2,2] y) <float[1,1,1,1] w = {1}> { y = Conv (x, w) }",
    )
    x = np.full((1, 1, 2, 2), 0.1, np.float32)

    found = emulate(after, Effects.of_options({"precision_mode": "must_keep_origin_dtype"})).run({"x": x})

    np.testing.assert_array_equal(found["y"], x.astype(np.float16).astype(np.float32))


def test_the_nms_of_the_chip_gives_the_same_bits_too() -> None:
    random = np.random.default_rng(1)
    low = random.uniform(0, 900, (1, 5, 1, 2))
    inputs = {
        "boxes": np.concatenate([low, low + random.uniform(5, 300, low.shape)], -1).astype(np.float32),
        "scores": random.uniform(0, 1, (1, 5, 3)).astype(np.float32),
        "valid": np.array([4], np.int32),
    }
    only = Effects(weights=False, activations=False, roi_extractor=False)

    old, new = (emulate(item, only).run(inputs) for item in (parse(NMS), apply(CastFp16Operators(), NMS)))

    np.testing.assert_array_equal(new["nmsed_boxes"], old["nmsed_boxes"])
    assert old["nmsed_num"] == new["nmsed_num"] > 0


@pytest.mark.parametrize(
    "mode", [{"precision_mode": "must_keep_origin_dtype"}, {"precision_mode_v2": "origin"}]
)
def test_where_nothing_may_be_lowered_the_pipeline_casts_all(mode: dict[str, str]) -> None:
    steps = CHIP.passes(told(mode))

    assert "cast-fp16-operators" in steps
    assert "cast-fp16-operators{only=[BatchMultiClassNMS]}" in CHIP.pipeline
    assert CHIP.passes(told({"precision_mode": "force_fp16"})) == CHIP.pipeline


def keeps(**options: object) -> Keeps:
    """What ATC may not lower, told so."""
    return options_from({"soc_version": "Ascend310P3", **options}).keeps


def test_float32_that_is_to_be_kept_meets_no_operator_without_such_a_kernel() -> None:
    model = network()

    kept = {
        (item.node, item.severity)
        for item in examine(model, keeps=keeps(precision_mode_v2="origin")).findings
        if item.rule == "float32-kept"
    }

    assert kept == {("n0", "error"), ("n2", "error"), ("n4", "error"), ("n3", "warning")}
    assert lint(model) == ()
    mode = {"precision_mode": "force_fp16"}
    for kept, nodes in (
        ({**mode, "keep_dtype": ["OpType::MaxPoolV3"]}, ["n2"]),
        ({**mode, "keep_dtype": ["n4", "n5"]}, ["n4"]),
        ({"precision_mode": "allow_mix_precision", "modify_mixlist": {"keep": ["MaxPoolV3"]}}, ["n2"]),
        (mode, []),
    ):
        assert [item.node for item in examine(model, keeps=keeps(**kept)).findings] == nodes
    legal = examine(apply(CastFp16Operators(), model), keeps=keeps(precision_mode_v2="origin")).findings
    assert [(item.node, item.severity) for item in legal if item.severity == "error"] == []
