"""Heads become the vendor's operators, in place and under the vendor's names."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops, twin
from convertkit_ascend.handover import for_atc
from convertkit_ascend.numerics import Effects, emulate
from convertkit_ascend.ops.lowering import with_vendor_operators
from convertkit_passes.clip_to_picture import ClipToPicture

from convertkit.api import heads
from convertkit.api.graphs import every_node
from convertkit.api.targets import UnavailableError
from convertkit.plugins.loading import open_plugins
from tests import graphtext


@pytest.fixture(autouse=True)
def registered():
    ops.register_schemas()
    heads.DOMAIN.register_schemas()


ROI = """
    (float[1,2,16,16] fine, float[1,2,8,8] coarse, float[3,5] rois) => (float[3,2,2,2] y)
    {
        MultilevelRoiAlign_output = convertkit.heads.MultilevelRoiAlign <finest_scale = 8,
            spatial_scale = [0.25, 0.125], output_height = 2, output_width = 2, at_bound = "up", clamp = 0>
            (fine, coarse, rois)
        y = Relu (MultilevelRoiAlign_output)
    }"""

NMS = """
    (float[1,4,1,4] boxes, float[1,4,2] scores) => (float[1,3,4] nmsed_boxes)
    {
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            score_threshold = 0.1, iou_threshold = 0.5, max_size_per_class = 2, max_total_size = 3,
            ties = "box", drop_empty = 0> (boxes, scores)
    }"""


def model(text):
    made = graphtext.parse(text)
    made.proto.opset_import.append(onnx.helper.make_opsetid(heads.HEADS, heads.VERSION))
    for node in made.proto.graph.node:
        node.name = f"somebody/{node.op_type}"
    return made


def test_a_roi_align_becomes_a_roi_extractor_of_the_same_place_and_name():
    after = with_vendor_operators(model(ROI))

    node, _ = after.proto.graph.node
    assert (node.name, node.op_type, node.domain) == ("somebody/RoiExtractor", "RoiExtractor", ops.DOMAIN)
    assert list(node.output) == ["RoiExtractor_output"]
    assert {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute} == {
        "finest_scale": 8,
        "spatial_scale": [0.25, 0.125],
        "pooled_height": 2,
        "pooled_width": 2,
        "sample_num": 0,
        "pool_mode": b"avg",
        "aligned": 1,
    }
    assert [item.domain for item in after.proto.opset_import] == ["", ops.DOMAIN]


def test_an_nms_becomes_a_batch_multi_class_nms_without_the_switches():
    after = with_vendor_operators(model(NMS))

    (node,) = after.proto.graph.node
    assert (node.op_type, node.domain) == ("BatchMultiClassNMS", ops.DOMAIN)
    assert sorted(item.name for item in node.attribute) == [
        "iou_threshold",
        "max_size_per_class",
        "max_total_size",
        "score_threshold",
    ]


def test_a_head_in_a_branch_becomes_the_vendors_which_a_twin_refuses():
    given = graphtext.parse("(bool c) => (float[1] y) { y = If (c) }")
    branch = model(ROI).proto.graph
    given.proto.graph.input.extend(branch.input)
    del branch.input[:]
    for name in ("then_branch", "else_branch"):
        given.proto.graph.node[0].attribute.append(onnx.helper.make_attribute(name, branch))
    given.proto.opset_import.append(onnx.helper.make_opsetid(heads.HEADS, heads.VERSION))

    after = with_vendor_operators(given)

    found = [(node.op_type, node.domain) for node in every_node(after.proto.graph)]
    assert found == [("If", ""), *2 * [("RoiExtractor", ops.DOMAIN), ("Relu", "")]]
    assert [item.domain for item in after.proto.opset_import] == ["", ops.DOMAIN]
    with pytest.raises(UnavailableError, match="subgraph"):
        twin.lower(given)


@pytest.mark.parametrize("text", [ROI, NMS])
def test_a_twin_and_device_numerics_take_heads_as_the_vendor_has_them(text):
    before = model(text)
    random = np.random.default_rng(0)
    inputs = {
        value.name: random.random([dim.dim_value for dim in value.type.tensor_type.shape.dim], np.float32)
        for value in before.proto.graph.input
    }

    for semantics in twin.SEMANTICS:
        by_vendor = twin.lower(with_vendor_operators(before), semantics)
        assert twin.lower(before, semantics).digest() == by_vendor.digest()
    found = emulate(before, Effects.parse("none")).run(inputs)
    wanted = emulate(with_vendor_operators(before), Effects.parse("none")).run(inputs)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


def test_atc_gets_vendor_operators_where_no_pass_has_lowered() -> None:
    given = model(ROI)

    after = for_atc(given)

    assert [(node.op_type, node.domain) for node in after.proto.graph.node] == [
        ("RoiExtractor", ""),
        ("Relu", ""),
    ]
    assert [item.domain for item in after.proto.opset_import] == [""]


def test_passes_for_heads_take_the_vendors_operators_of_a_users_file() -> None:
    open_plugins()
    vendor = with_vendor_operators(model(NMS))

    after = graphtext.apply(ClipToPicture(), vendor)

    assert [value.name for value in after.proto.graph.input] == ["boxes", "scores", "picture"]
    assert after.proto.graph.node[-1].op_type == "BatchMultiClassNMS"


def test_a_graph_without_heads_is_left_alone():
    before = graphtext.parse("(float[2] x) => (float[2] y) { y = Relu(x) }")

    assert with_vendor_operators(before) is before
