"""``lower-heads`` on graphs with heads, without, and with what it cannot lower. What it writes: tests/heads."""

from __future__ import annotations

import pytest
from convertkit_passes.lower_heads import LowerHeads

from convertkit.api import heads
from convertkit.api.graphs import inferred
from convertkit.errors import UnavailableError, UsageError
from convertkit.passes.pipeline import Pipeline
from convertkit.plugins.loading import open_plugins
from tests import graphtext

NMS = """
    (float[1,{count},1,4] boxes, float[1,{count},2] scores) => (float[1,3,4] best, int32[1] number)
    {{
        best, values, classes, number = convertkit.heads.MulticlassNms <score_threshold = 0.1,
            iou_threshold = 0.5, max_size_per_class = 2, max_total_size = 3> (boxes, scores)
    }}"""


@pytest.fixture(autouse=True)
def registered() -> None:
    heads.DOMAIN.register_schemas()


def test_a_head_becomes_standard_onnx_with_outputs_of_fixed_shape() -> None:
    before = graphtext.parse(NMS.format(count=4), domains=[heads.HEADS])

    after = graphtext.apply(LowerHeads(), before)

    assert {node.domain for node in after.proto.graph.node} == {""}
    assert [item.domain for item in after.proto.opset_import] == [""]
    assert graphtext.show(after).splitlines()[0] == graphtext.show(before).splitlines()[0]
    known = {item.name: item for item in inferred(after, strict=True).graph.output}
    assert [dim.dim_value for dim in known["best"].type.tensor_type.shape.dim] == [1, 3, 4]


def test_a_graph_without_heads_stays_as_it_is() -> None:
    model = graphtext.parse("(float[2] x) => (float[2] y) { y = Relu(x) }")

    assert LowerHeads().run(model) is model


@pytest.mark.parametrize(
    ("count", "opset", "why"),
    [
        ("N", 11, "input 0 has shape .*; lowering needs static shapes"),
        (4, 17, "heads are lowered at opset 11 to 16, the graph has 17"),
    ],
)
def test_what_cannot_be_lowered_is_refused(count: object, opset: int, why: str) -> None:
    model = graphtext.parse(NMS.format(count=count), opset=opset, domains=[heads.HEADS])

    with pytest.raises(UnavailableError, match=why):
        LowerHeads().run(model)


def test_heads_are_lowered_after_all_that_works_on_them() -> None:
    registry = open_plugins().passes

    with pytest.raises(UsageError, match="lower-heads"):
        Pipeline.parse(["lower-heads", "fuse-multiclass-nms"], registry)
