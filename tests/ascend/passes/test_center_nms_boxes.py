"""``center-nms-boxes``: the same detections, rounded half as much where the operator is float16."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from convertkit_ascend.passes.center_nms_boxes import CenterNmsBoxes

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import LightModel
from convertkit.graph.graph import open_graph
from tests.graphtext import apply, parse, show, text

heads.DOMAIN.register_schemas()

DETECTIONS = """
    (float[1,3,40,60] image, float[1,5,1,4] boxes, float[1,5,3] scores)
        => (float[1,3,40,60] same, float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
    {
        same = Identity (image)
        nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms <
            iou_threshold: float = 0.5, max_size_per_class: int = 4, max_total_size: int = 4,
            score_threshold: float = 0.25> (boxes, scores)
    }
"""


def detections(old: str = "", new: str = "") -> LightModel:
    assert old in DETECTIONS
    return parse(DETECTIONS.replace(old, new) if old else DETECTIONS, domains=[heads.HEADS])


def test_boxes_are_moved_and_used_slots_moved_back() -> None:
    after = apply(CenterNmsBoxes(), detections())

    assert show(after) == text(
        """
        (float[1,3,40,60] image, float[1,5,1,4] boxes, float[1,5,3] scores) => """
        """(float[1,3,40,60] same, float[1,4,4] nmsed_boxes, float[1,4] nmsed_scores)
        <float[4] centre = {30.0, 20.0, 30.0, 20.0}, int64[3] shape = {1, 4, 1}>
        {
            same = Identity (image)
            Sub_output = Sub (boxes, centre)
            nmsed_boxes_centred, nmsed_scores, nmsed_classes, nmsed_num = convertkit.heads.MulticlassNms """
        """<iou_threshold = 0.5, max_size_per_class = 4, max_total_size = 4, score_threshold = 0.25> """
        """(Sub_output, scores)
            Sign_output = Sign (nmsed_scores)
            Reshape_output = Reshape (Sign_output, shape)
            Mul_output = Mul (Reshape_output, centre)
            nmsed_boxes = Add (nmsed_boxes_centred, Mul_output)
        }
        """
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_detections_stay_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    low = random.uniform(0, 20, (1, 5, 1, 2))
    boxes = np.concatenate([low, low + random.uniform(5, 20, low.shape)], -1).astype(np.float32)
    inputs = {
        "image": np.zeros((1, 3, 40, 60), np.float32),
        "boxes": boxes,
        "scores": random.uniform(0, 0.5, (1, 5, 3)).astype(np.float32),
    }
    inputs["scores"][0, 2:] = 0.1  # fewer than there are slots

    old, new = (
        open_session(heads.lower(item)).run(inputs)
        for item in (detections(), apply(CenterNmsBoxes(), detections()))
    )

    used = old["nmsed_scores"] > 0
    np.testing.assert_array_equal(new["nmsed_scores"], old["nmsed_scores"])
    np.testing.assert_allclose(new["nmsed_boxes"][used], old["nmsed_boxes"][used], atol=1e-5)
    assert not new["nmsed_boxes"][~used].any()


def device_error(shift: float, size: float = 1216.0) -> float:
    """Mean error of coordinates, pixels, over boxes with uniform corners that go through the 310P kernel."""
    random = np.random.default_rng(0)
    ends = random.uniform(0, size, (1000, 2, 2))
    boxes = np.concatenate([ends.min(1), ends.max(1)], -1).astype(np.float32)
    scores = (1 - np.arange(1000) / 2048).astype(np.float32)  # all different in float16: the order stays
    attributes = {
        "score_threshold": 0.0,
        "iou_threshold": 1.0,
        "max_size_per_class": 1000,
        "max_total_size": 1000,
    }
    inputs = [(boxes - shift)[None, :, None], scores[None, :, None]]
    found, *_, number = ops.BATCH_MULTI_CLASS_NMS.compute("device", inputs, attributes)
    assert number == [1000]
    return float(np.abs(found[0] + shift - boxes).mean())


def test_the_device_rounds_half_as_much() -> None:
    """The whole kernel; storing such coordinates in float16 alone costs 0.110 px, 0.055 px when moved."""
    assert device_error(0) == pytest.approx(0.196, abs=0.005)
    assert device_error(608) == pytest.approx(0.098, abs=0.005)


def test_boxes_that_are_moved_stay_where_they_are() -> None:
    once = apply(CenterNmsBoxes(), detections())

    (finding,) = CenterNmsBoxes().explain(open_graph(once))

    assert finding.why == "its boxes are moved already"
    assert apply(CenterNmsBoxes(), once) is once


def test_boxes_that_are_no_pixels_are_refused() -> None:
    before = detections("        nmsed_boxes,", "        unit = Sigmoid (boxes) nmsed_boxes,")
    before.proto.graph.node[-1].input[0] = "unit"

    (finding,) = CenterNmsBoxes().explain(open_graph(before))

    assert finding.why == "its boxes stay below 1, they are not in pixels of the canvas"
    assert apply(CenterNmsBoxes(), before) is before


def test_a_graph_without_image_is_refused() -> None:
    before = parse(DETECTIONS.replace("float[1,3,40,60]", "float[1,7200]"), domains=[heads.HEADS])

    (finding,) = CenterNmsBoxes().explain(open_graph(before))

    assert finding.why == "the graph has 0 image inputs of fixed size; one is needed to know the canvas"
    assert apply(CenterNmsBoxes(), before) is before


@pytest.mark.parametrize(("high", "moved"), [(19.9, False), (20.0, True)])
def test_boxes_that_reach_half_of_the_shorter_side_are_in_pixels(high: float, moved: bool) -> None:
    source = DETECTIONS.replace("    {", f"    <float low = {{0}}, float high = {{{high}}}>\n    {{", 1)
    source = source.replace("        nmsed_boxes,", "        some = Clip (boxes, low, high) nmsed_boxes,")

    (finding,) = CenterNmsBoxes().explain(
        open_graph(parse(source.replace("> (boxes,", "> (some,"), domains=[heads.HEADS]))
    )

    assert (finding.status == "matched") is moved


@pytest.mark.parametrize("outputs", ["nmsed_boxes", "nmsed_boxes, nothing, nmsed_classes, nmsed_num"])
def test_scores_that_are_left_out_are_written(outputs: str) -> None:
    before = detections(", float[1,4] nmsed_scores)", ")")
    node = before.proto.graph.node[-1]
    del node.output[:]
    node.output.extend("" if item == "nothing" else item for item in outputs.split(", "))

    after = apply(CenterNmsBoxes(), before)

    (node,) = (item for item in after.proto.graph.node if item.domain == heads.HEADS)
    assert list(node.output) == ["nmsed_boxes_centred", "nmsed_scores", *node.output[2:]]
    assert len(node.output) == max(2, len(outputs.split(", ")))
    (sign,) = (item for item in after.proto.graph.node if item.op_type == "Sign")
    assert list(sign.input) == ["nmsed_scores"]


@pytest.mark.parametrize(
    ("made", "moved"),
    [
        ("Sub (boxes, half)", False),
        ("Sub (boxes, other)", True),
        ("Add (boxes, half)", True),
        ("Sub (boxes, open)", True),
        ("Sub (boxes, wide)", False),
    ],
)
def test_only_boxes_that_are_moved_by_half_the_canvas_are_moved_already(made: str, moved: bool) -> None:
    text = DETECTIONS.replace("float[1,5,3] scores)", "float[1,5,3] scores, float[4] open)")
    constants = """
        <float[4] half = {30, 20, 30, 20}, float[4] other = {30, 20, 30, 21},
         float[1,1,1,4] wide = {30, 20, 30, 20}>
    {"""
    text = text.replace("    {", constants, 1).replace(
        "        nmsed_boxes,", f"        made = {made} nmsed_boxes,"
    )
    before = parse(text.replace("(boxes, scores)", "(made, scores)"), domains=[heads.HEADS])

    (finding,) = CenterNmsBoxes().explain(open_graph(before))

    assert (finding.status == "matched") is moved


@pytest.mark.parametrize(
    ("outputs", "after"),
    [
        ("nmsed_boxes", ["nmsed_boxes_centred", "nmsed_scores"]),
        ("nmsed_boxes, values", ["nmsed_boxes_centred", "values"]),
        ("nmsed_boxes, , kinds", ["nmsed_boxes_centred", "nmsed_scores", "kinds"]),
    ],
)
def test_scores_that_a_node_leaves_out_are_written_out(outputs: str, after: list[str]) -> None:
    source = DETECTIONS.replace("nmsed_boxes, nmsed_scores, nmsed_classes, nmsed_num", outputs)
    source = source.replace(
        "float[1,4] nmsed_scores", "float[1,4] kinds" if "kinds" in outputs else "float[1,4] more"
    )
    if "kinds" not in outputs:
        source = source.replace("same = Identity (image)", "same = Identity (image) more = Identity (given)")
        source = source.replace("float[1,5,3] scores)", "float[1,5,3] scores, float[1,4] given)")

    graph = open_graph(apply(CenterNmsBoxes(), parse(source, domains=[heads.HEADS])))

    (nms,) = graph.find("MulticlassNms", domain=heads.HEADS)
    (sign,) = graph.find("Sign")
    assert [item.name for item in nms.outputs] == after
    assert sign.inputs[0] is nms.outputs[1]


def test_what_is_written_has_shapes_and_types() -> None:
    graph = open_graph(detections())
    CenterNmsBoxes().run(graph)

    found = {node.op: (node.outputs[0].dtype, tuple(node.outputs[0].shape)) for node in graph.nodes[2:]}
    assert {kind for kind, _ in found.values()} == {np.dtype(np.float32)}
    assert found["Sign"][1] == (1, 4)
    assert found["Reshape"][1] == (1, 4, 1)
    assert found["Mul"][1] == (1, 4, 4)


def test_the_finding_names_how_far_and_the_boxes() -> None:
    (finding,) = CenterNmsBoxes().explain(open_graph(detections()))

    assert (finding.why, finding.tensor) == ("boxes are moved by -30, -20 and back", "boxes")
