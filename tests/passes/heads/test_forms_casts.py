"""Casts in front of a NonMaxSuppression: those to the type there is are looked through, others are not."""

from __future__ import annotations

import numpy as np
import onnx
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from onnx import TensorProto

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from tests.graphtext import apply
from tests.passes.heads import nms_forms
from tests.passes.heads.nms_forms import Form

heads.DOMAIN.register_schemas()

PADDED = FuseMulticlassNms(pad_detections=True)


def cast_ahead(to: int) -> LightModel:
    """Boxes moved by class and their scores, cast to a type and, where that is another, back to float."""
    model = nms_forms.best_class(Form(count=24, limit=12))
    nodes = model.proto.graph.node
    (position,) = (index for index, node in enumerate(nodes) if node.op_type == "NonMaxSuppression")
    for place in (0, 1):
        for step, kind in enumerate((to, TensorProto.FLOAT)):
            name = f"cast_{place}_{step}"
            given = nodes[position].input[place]
            nodes.insert(position, onnx.helper.make_node("Cast", [given], [name], name=name, to=kind))
            position += 1
            nodes[position].input[place] = name
    return model


def test_a_cast_to_the_type_there_is_hides_no_class_offset() -> None:
    before = cast_ahead(TensorProto.FLOAT)

    after = apply(PADDED, before)

    operators = [node.op_type for node in after.proto.graph.node]
    assert (operators.count("MulticlassNms"), operators.count("NonMaxSuppression")) == (1, 0)
    inputs = nms_forms.random_inputs(before, 2)
    old = open_session(before, optimize=False).run(inputs)["found"]
    new = open_session(heads.lower(after), optimize=False).run(inputs)["found"]
    assert len(old) > 3
    np.testing.assert_array_equal(new[: len(old)], old)


def test_refused_where_a_cast_rounds_what_is_compared() -> None:
    (finding,) = PADDED.explain(open_graph(cast_ahead(TensorProto.FLOAT16)))

    assert finding.status == "refused"
