"""One NonMaxSuppression: its options, and what of it the operator cannot do."""

from __future__ import annotations

import pytest
from convertkit_passes.heads.nms.candidates import site

from convertkit.api.heads import Refused
from tests.passes.heads.nms.opened import named, opened

NODE = """
    (float[2,6,4] boxes, float[2,3,6] scores, float[1] open) => (int64[k,3] selected)
    <int64[1] most = {5}, float[1] iou = {0.5}, float score = {0.25}, float[2] two = {0.1, 0.2}>
    {
        clipped = Sigmoid (scores)
        selected = NonMaxSuppression (boxes, scores, most, iou, score)
    }
"""


def of(old: str = "", new: str = "", opset: int = 11):
    graph = opened(NODE.replace(old, new) if old else NODE, opset=opset)
    (node,) = graph.find("NonMaxSuppression")
    return site.read(graph, node)


def test_the_options_of_a_node():
    found = of()

    assert (found.boxes.name, found.scores.name, found.selection.name) == ("boxes", "scores", "selected")
    assert (found.batch, found.classes, found.limit, found.centred) == (2, 3, 5, False)
    assert (found.iou_threshold, found.score_threshold) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("old", "new", "attribute", "value"),
    [
        (", iou, score)", ")", "iou_threshold", 0.0),
        (", iou, score)", ', "", score)', "iou_threshold", 0.0),
        (", iou, score)", ", iou)", "score_threshold", None),
        ("NonMaxSuppression (", "NonMaxSuppression <center_point_box = 1> (", "centred", True),
        ("float[2,6,4] boxes", "float[n,6,4] boxes", "batch", 1),
        ("float[2,6,4] boxes", "float[1,6,4] boxes", "batch", 1),
    ],
)
def test_options_that_are_absent_or_otherwise(old, new, attribute, value):
    if '""' in new:
        graph = opened(NODE)
        (node,) = graph.find("NonMaxSuppression")
        node.inputs[3] = type(node.outputs[0]).empty()
        found = site.read(graph, node)
    else:
        found = of(old, new)

    assert getattr(found, attribute) == value


@pytest.mark.parametrize(
    ("old", "new", "why", "tensor"),
    [
        ("float[2,6,4] boxes", "float[2,0,4] boxes", "wanted are three sizes above 0", "boxes"),
        ("float[2,3,6] scores", "float[2,3,0] scores", "wanted are three sizes above 0", "scores"),
        ("most = {5}", "most = {0}", "absent or 0", "boxes"),
        ("most = {5}", "most = {-1}", "absent or 0", "boxes"),
        ("(boxes, scores, most, iou, score)", "(boxes, scores)", "absent or 0", "boxes"),
        ("most, iou, score)", "most, open, score)", "iou_threshold is not constant", "open"),
        ("most, iou, score)", "most, two, score)", "iou_threshold holds 2 numbers, not one", "two"),
        ("float[2,3,6] scores", "float[2,c,6] scores", "axis 1 of scores has no fixed size", "scores"),
    ],
)
def test_refused_where_an_option_or_a_size_is_none(old, new, why, tensor):
    with pytest.raises(Refused, match=why) as error:
        of(old, new)
    assert error.value.tensor == tensor
    assert error.value.unsized is ("no fixed size" in why)


def test_a_limit_of_one_is_one():
    assert of("most = {5}", "most = {1}").limit == 1


@pytest.mark.parametrize(("shape", "refused"), [((2, 6, 4, 1), True), ((2, 6), True), (None, False)])
def test_boxes_of_a_shape_that_is_known_have_three_axes(shape, refused):
    graph = opened(NODE)
    (node,) = graph.find("NonMaxSuppression")
    node.inputs[0].shape = shape

    if refused:
        with pytest.raises(Refused, match="wanted are three sizes above 0"):
            site.read(graph, node)
    else:
        assert site.read(graph, node).batch == 1


def test_boxes_and_scores_are_of_one_type():
    graph = opened(NODE)
    (node,) = graph.find("NonMaxSuppression")
    node.inputs[1].dtype = "float16"

    with pytest.raises(Refused, match="scores float16; the operator wants one type") as error:
        site.read(graph, node)
    assert error.value.tensor == "scores"


def test_the_opset_has_to_be_one_that_the_operators_have():
    from convertkit.api import heads

    low, high = heads.OPSETS
    graph = opened(NODE)
    (node,) = graph.find("NonMaxSuppression")
    for opset, fits in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        graph.surgeon.opset = opset
        if fits:
            assert site.read(graph, node).limit == 5
        else:
            with pytest.raises(Refused, match=f"opset must be {low} to {high}, it is {opset}"):
                site.read(graph, node)


@pytest.mark.parametrize(
    ("threshold", "scores", "operator"),
    [(0.3, "scores", 0.3), (0.0, "scores", 0.0), (None, "clipped", 0.0), (-0.1, "clipped", 0.0)],
)
def test_a_threshold_below_0_is_0_where_no_score_is(threshold, scores, operator):
    graph = opened(NODE)

    assert site.operator_threshold(graph, threshold, *named(graph, scores)) == operator


@pytest.mark.parametrize("threshold", [None, -0.1])
def test_refused_where_scores_may_be_negative(threshold):
    graph = opened(NODE)

    with pytest.raises(Refused, match="scores may be negative") as error:
        site.operator_threshold(graph, threshold, *named(graph, "scores"))
    assert error.value.tensor == "scores"


def test_a_whole_number_stays_whole():
    graph = opened(NODE)
    (node,) = graph.find("NonMaxSuppression")

    assert isinstance(site.option(graph, node, 2, "most"), int)
    assert isinstance(site.option(graph, node, 4, "score"), float)
    assert site.option(graph, node, 5, "none") is None
