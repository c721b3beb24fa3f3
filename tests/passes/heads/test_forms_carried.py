"""What else is read at the places of selected boxes: labels that move no box, coefficients, the places themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
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
FORM = Form(count=24, classes=1, score=0.2)
WIDTH = 5


def reading(
    *, rows: int = FORM.count, told: str = "places", scores: bool = True, ahead: bool = False
) -> LightModel:
    """One picture, NMS of all boxes together; ``extra (rows, 5)`` and the ``places`` are read of those that are kept.

    Args:
        told: the output beside ``boxes_out``, ``scores_out`` and ``extra_out``.
        scores: the score of a box is given.
        ahead: scores are filtered in front of the NMS, so that places are those of a shorter list.
    """
    form, write = FORM, Writer(FORM.opset)
    boxes, best, extra = write.clip("boxes"), write.op("Reshape", "scores", [-1]), "extra"
    if ahead:
        passing = write.op("NonZero", write.op("Greater", best, np.float32(form.score)))
        passing = write.squeeze(passing, 0)
        boxes, best, extra = (
            write.op("Gather", item, passing, axis=axis) for item, axis in ((boxes, 1), (best, 0), (extra, 0))
        )
    values = write.unsqueeze(write.unsqueeze(best, 0), 0)
    limits = [np.array([form.limit]), np.float32([form.iou]), np.float32([form.score])]
    selected = write.op("NonMaxSuppression", boxes, values, *limits, out="selected")
    places = write.op("Gather", selected, np.int64(2), axis=1)
    places = write.op("Slice", places, [0], [form.limit], [0], out="places")
    write.op("Gather", write.squeeze(boxes, 0), places, axis=0, out="boxes_out")
    write.op("Gather", extra, places, axis=0, out="extra_out")
    outputs: dict[str, tuple[int, Any]] = {
        "boxes_out": (TensorProto.FLOAT, ("k", 4)),
        "extra_out": (TensorProto.FLOAT, ("k", WIDTH)),
    }
    if told:
        outputs[told] = (TensorProto.INT64, ("k", *[3] * (told == "selected")))
    if scores:
        write.op("Gather", best, places, axis=0, out="scores_out")
        outputs["scores_out"] = (TensorProto.FLOAT, ("k",))
    inputs = {"boxes": form.boxes_shape, "scores": form.scores_shape, "extra": (rows, WIDTH)}
    return write.model(inputs, outputs)


def both(
    before: LightModel, inputs: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    after = apply(PADDED, before)
    assert not any(node.op_type == "NonMaxSuppression" for node in after.proto.graph.node)
    old = open_session(before, optimize=False).run(inputs)
    return old, open_session(heads.lower(after), optimize=False).run(inputs)


@pytest.mark.parametrize("scale", [1.0, 0.21, 0.0])
def test_rows_and_places_are_those_of_the_boxes(scale: float) -> None:
    inputs = random_inputs(reading(), 1)
    inputs["scores"] *= np.float32(scale)

    old, new = both(reading(), inputs)

    assert len(old["places"]) == {1.0: 5, 0.21: 1, 0.0: 0}[scale]
    for name, value in old.items():
        np.testing.assert_array_equal(new[name][: len(value)], value)
        assert len(new[name]) == FORM.limit
        assert not new[name][len(value) :].any()  # unused slots are zero


def test_of_equal_boxes_with_equal_scores_the_first_is_read() -> None:
    inputs = random_inputs(reading(), 1)
    for name in ("boxes", "scores"):
        inputs[name][0, 12:] = inputs[name][0, :12]

    old, new = both(reading(), inputs)

    assert len(old["places"]) > 3
    np.testing.assert_array_equal(new["extra_out"][: len(old["places"])], old["extra_out"])


def test_the_nearest_box_is_meant_where_what_the_operator_gives_is_rounded() -> None:
    before = reading()
    inputs = random_inputs(before, 1)
    after = apply(PADDED, before)
    nodes = after.proto.graph.node
    for name in ("nmsed_boxes", "nmsed_scores"):
        (position,) = (index for index, node in enumerate(nodes) if name in node.output)
        place = list(nodes[position].output).index(name)
        nodes[position].output[place] = f"{name}_exact"
        half = onnx.helper.make_node("Cast", [f"{name}_exact"], [f"{name}_half"], to=TensorProto.FLOAT16)
        nodes.insert(position + 1, half)
        nodes.insert(
            position + 2, onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)
        )

    old = open_session(before, optimize=False).run(inputs)
    new = open_session(heads.lower(after), optimize=False).run(inputs)

    assert np.abs(new["boxes_out"][: len(old["places"])] - old["boxes_out"]).max() > 0
    np.testing.assert_array_equal(new["places"][: len(old["places"])], old["places"])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"ahead": True}, "places still needs the selection"),
        ({"ahead": True, "told": "", "rows": FORM.count + 1}, "places still needs the selection"),
        ({"told": "selected"}, "a graph output still needs the selection"),
        ({"scores": False}, "no score is read that would tell them"),
    ],
)
def test_near_misses_are_refused(options: dict[str, Any], why: str) -> None:
    (finding,) = PADDED.explain(open_graph(reading(**options)))

    assert finding.status == "refused"
    assert why in finding.why


def test_rows_are_read_of_all_boxes_where_a_filter_ahead_is_gone() -> None:
    before = reading(ahead=True, told="")

    old, new = both(before, random_inputs(before, 1))

    assert len(old["extra_out"]) == FORM.limit
    np.testing.assert_array_equal(new["extra_out"], old["extra_out"])


def test_refused_where_a_box_has_several_scores_so_that_a_place_says_too_little() -> None:
    form = Form(count=24, classes=3, score=0.2)
    write = Writer(form.opset)
    values = write.op("Transpose", "scores", perm=[0, 2, 1])
    limits = [np.array([form.limit]), np.float32([form.iou]), np.float32([form.score])]
    selected = write.op("NonMaxSuppression", write.clip("boxes"), values, *limits, out="selected")
    places = write.op("Gather", selected, np.int64(2), axis=1)
    write.op("Gather", "extra", places, axis=0, out="extra_out")
    inputs = {"boxes": form.boxes_shape, "scores": form.scores_shape, "extra": (form.count, WIDTH)}
    model = write.model(inputs, {"extra_out": (TensorProto.FLOAT, ("k", WIDTH))})

    (finding,) = PADDED.explain(open_graph(model))

    assert (finding.status, finding.tensor) == ("refused", "t3")
