"""Boxes that are multiplied before class offsets are added: IoU does not see it, and the boxes themselves are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from onnx import numpy_helper

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from tests.graphtext import apply
from tests.passes.heads import nms_forms
from tests.passes.heads.nms_forms import SIZE, Form

heads.DOMAIN.register_schemas()

PADDED = FuseMulticlassNms(pad_detections=True)
FORM = Form(count=24, limit=12, offset=1.0)
EPSILON = float(np.finfo(np.float32).eps)


def scaled(op: str, factor: Any, form: Form = FORM) -> LightModel:
    """yolov7's form whose boxes are multiplied or divided before they are moved by class."""
    model = nms_forms.best_class(form)
    graph = model.proto.graph
    (position,) = (index for index, node in enumerate(graph.node) if node.op_type == "Add")
    add = graph.node[position]
    graph.initializer.append(numpy_helper.from_array(np.asarray(factor, np.float32), "factor"))
    graph.node.insert(position, onnx.helper.make_node(op, [add.input[0], "factor"], ["scaled"], name="scale"))
    graph.node[position + 1].input[0] = "scaled"
    return model


@pytest.mark.parametrize(
    ("op", "factor", "stays"),
    [
        ("Div", SIZE, False),
        ("Mul", [1 / SIZE], False),
        ("Div", [SIZE, 2 * SIZE, SIZE, 2 * SIZE], True),  # no single number: the boxes are carried
    ],
)
def test_the_boxes_before_are_read(op: str, factor: Any, stays: bool) -> None:
    before = scaled(op, factor)
    inputs = nms_forms.random_inputs(before, 2)

    after = apply(PADDED, before)

    assert not any(node.op_type == "NonMaxSuppression" for node in after.proto.graph.node)
    assert any(node.name == "scale" for node in after.proto.graph.node) == stays
    old = open_session(before, optimize=False).run(inputs)["found"]
    new = open_session(heads.lower(after), optimize=False).run(inputs)["found"]
    assert len(old) > 3
    np.testing.assert_array_equal(new[: len(old)], old)


@pytest.mark.parametrize(("shorter", "status"), [(1, "matched"), (4, "refused")])
def test_the_offset_may_miss_the_scaled_range_by_a_rounding(shorter: int, status: str) -> None:
    below = np.float32(SIZE - shorter * SIZE * EPSILON)

    (finding,) = PADDED.explain(open_graph(scaled("Div", below)))

    assert finding.status == status
    assert ("less than the boxes' range 0 to 64" in finding.why) == (status == "refused")
