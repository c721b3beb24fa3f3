"""What is as long as the list of detections, and is made by its length, is padded with it."""

from __future__ import annotations

import numpy as np
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from onnx import TensorProto

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from tests.graphtext import apply
from tests.passes.heads.nms_forms import Form, Writer, random_inputs

heads.DOMAIN.register_schemas()

PADDED = FuseMulticlassNms(pad_detections=True)
FORM = Form(count=24, classes=1, limit=20, score=0.2)


def constant_label(*, count: bool) -> LightModel:
    """NMS of one class, whose label 7 is made as long as the detections, and the best 10 rows with labels.

    Args:
        count: the length of the list is an output, too.
    """
    write = Writer(FORM.opset)
    boxes, values = write.clip("boxes"), write.op("Reshape", "scores", [1, 1, -1])
    limits = [np.array([FORM.limit]), np.float32([FORM.iou]), np.float32([FORM.score])]
    selected = write.op("NonMaxSuppression", boxes, values, *limits, out="selected")
    places = write.op("Gather", selected, np.int64(2), axis=1)
    best = write.op("Gather", write.op("Reshape", "scores", [-1]), places, axis=0, out="scores_out")
    length = write.op("Shape", places, out="length")
    labels = write.op("Expand", np.float32([7]), length)
    rows = write.op("Gather", write.squeeze(boxes, 0), places, axis=0)
    columns = [rows, write.unsqueeze(best, 1), write.unsqueeze(labels, 1)]
    write.op("Concat", *columns, axis=1, out="found")
    outputs = {"found": (TensorProto.FLOAT, ("k", 6)), "scores_out": (TensorProto.FLOAT, ("k",))}
    if count:
        outputs["length"] = (TensorProto.INT64, (1,))
    return write.model({"boxes": FORM.boxes_shape, "scores": FORM.scores_shape}, outputs)


def test_labels_are_as_many_as_slots() -> None:
    before = constant_label(count=False)
    inputs = random_inputs(before, 1)

    after = apply(PADDED, before)

    assert not any(node.op_type == "NonMaxSuppression" for node in after.proto.graph.node)
    old = open_session(before, optimize=False).run(inputs)["found"]
    new = open_session(heads.lower(after), optimize=False).run(inputs)["found"]
    assert 3 < len(old) < len(new) == FORM.limit
    np.testing.assert_array_equal(new[: len(old)], old)
    assert not new[len(old) :, :5].any()


def test_refused_where_the_length_is_given_too() -> None:
    (finding,) = PADDED.explain(open_graph(constant_label(count=True)))

    assert finding.status == "refused"
    assert finding.why == "length depends on length, which is a size of padded tensors too"
