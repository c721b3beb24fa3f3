"""A graph between the passes that find heads and those that lower them: looked at as the vendor will have it."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.linter.examination import examine
from convertkit_ascend.ops.lowering import with_vendor_operators

from convertkit.api import heads
from convertkit.graph.light import LightModel
from tests import graphtext

ROI = """
    (float[1,2,16,16] fine, float[1,2,8,8] coarse, float[3,5] rois) => (float[3,2,2,2] y)
    {
        pooled = convertkit.heads.MultilevelRoiAlign <finest_scale = 8, spatial_scale = [0.25, 0.125],
            output_height = 2, output_width = 2> (fine, coarse, rois)
        y = Relu (pooled)
    }"""

NMS = """
    (float[1,4,1,4] boxes, float[1,4,2] scores) => (float[1,3,4] y)
    {
        found, best, kinds, count = convertkit.heads.MulticlassNms <score_threshold = 0.1, iou_threshold = 0.5,
            max_size_per_class = 2, max_total_size = 3> (boxes, scores)
        y = Relu (found)
    }"""


@pytest.fixture(autouse=True)
def registered() -> None:
    ops.register_schemas()
    heads.DOMAIN.register_schemas()


def model(text: str) -> onnx.ModelProto:
    proto = graphtext.parse(text).proto
    proto.opset_import.append(onnx.helper.make_opsetid(heads.HEADS, heads.VERSION))
    for position, node in enumerate(proto.graph.node):
        node.name = f"n{position}"
    return proto


@pytest.mark.parametrize("text", [ROI, NMS])
def test_a_head_is_not_lowered_yet_and_that_is_all(text: str) -> None:
    proto = model(text)
    before = proto.SerializeToString()

    found = examine(proto).findings

    assert [(item.rule, item.node) for item in found] == [("domain-private", "n0")]
    assert found[0].why.startswith("the parser has no plugin for convertkit.heads::M")
    assert proto.SerializeToString() == before


@pytest.mark.parametrize("text", [ROI, NMS])
def test_the_same_is_found_as_with_the_vendors_operators(text: str) -> None:
    graph = graphtext.parse(text)
    graph.proto.CopyFrom(model(text.replace("2] y", "9] y").replace("4] y", "9] y")))

    found = examine(graph.proto).findings
    lowered = examine(with_vendor_operators(graph)).findings

    assert [(item.rule, item.severity) for item in found] == [(item.rule, item.severity) for item in lowered]
    assert {item.rule for item in found} == {"domain-private", "output-declared"}


@pytest.mark.parametrize("lower", [lambda graph: graph, with_vendor_operators])
def test_one_in_a_branch_is_said_too(lower: Callable[[LightModel], LightModel]) -> None:
    branch = model(ROI).graph
    inputs = [*branch.input]
    del branch.input[:]
    proto = graphtext.parse("(float[1] x) => (float[1] z) { z = Relu (x) }").proto
    proto.opset_import.append(onnx.helper.make_opsetid(heads.HEADS, heads.VERSION))
    proto.graph.input.extend([onnx.helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, []), *inputs])
    choice = onnx.helper.make_node("If", ["c"], ["w"], "choice", then_branch=branch, else_branch=branch)
    proto.graph.node.append(choice)

    found = examine(lower(LightModel(proto, {})).proto).findings

    said = {item.rule: item.why for item in found}
    assert "the parser has no plugin for convertkit." in said["domain-private"]
    assert "op-unknown" not in said


@pytest.mark.parametrize("spoilt", ["op_type", "attribute", "import", "input"])
def test_what_is_no_head_after_all_is_said_without_a_traceback(spoilt: str) -> None:
    proto = model(ROI)
    if spoilt == "op_type":
        proto.graph.node[0].op_type = "MultilevelRoiAlgin"
    elif spoilt == "attribute":
        del proto.graph.node[0].attribute[:]
    elif spoilt == "import":
        del proto.opset_import[-1]
    else:
        del proto.graph.node[0].input[:]

    report = examine(proto)

    assert "domain-private" in {item.rule for item in report.findings}
    assert all(item.node in ("n0", "", "fine", "coarse", "rois") for item in report.findings)
