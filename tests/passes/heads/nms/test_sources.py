"""Where boxes and scores come from: the ways in which a site may be read."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates import centres, site, sources

from convertkit.api.graphs import Bounds
from convertkit.api.heads import Refused
from tests.graphtext import show, text
from tests.passes.heads.nms.opened import named, opened

GRAPH = """
    (float[2,6,4] boxes, float[2,3,6] scores, float[2,6,3] minor, float[2,6,4] free) => (int64[k,3] selected)
    <int64[1] most = {5}, float[1] iou = {0.5}, float low = {-8}, float high = {64}, float[1,6,4] one = OFFSET,
     int64[2] axes = {0, 1}, int64[3] single = {2, 1, 6}, float[2,1,1] two = {0, 0}, float score = {0.25},
     float far = {80}>
    {
        clipped = Clip (boxes, low, high)
        NODES
    }
"""
KINDS = [0, 72, 144, 0, 72, 144]


def read(nodes: str, stated=None, kinds=KINDS, old: str = "", new: str = ""):
    values = ", ".join(str(kind) for kind in np.repeat(kinds, 4))
    graph = opened(
        GRAPH.replace("NODES", nodes).replace("OFFSET", f"{{{values}}}").replace(old or "NONE", new)
    )
    (node,) = graph.find("NonMaxSuppression")
    return graph, list(sources.candidates(graph, site.read(graph, node), stated))


def test_boxes_that_the_classes_of_the_node_share():
    _, (found,) = read("selected = NonMaxSuppression (clipped, scores, most, iou, score)")

    assert (found.boxes.shape, found.scores.shape, found.classes) == ((2, 6, 1, 4), (2, 6, 3), 3)
    assert (found.range, found.reach) == (Bounds(-8, 64), 64)
    assert (found.together, found.filtered, found.centred, found.by_class) == (False, False, False, False)
    assert (found.offsets, found.labels) == (None, None)
    assert [item.name for item in found.borders] == ["clipped", "scores"]


def test_boxes_that_nothing_bounds_are_probed_anyway():
    _, (found,) = read("selected = NonMaxSuppression (free, scores, most, iou, score)", stated=(0, 5))
    assert (found.range, found.reach) == (Bounds(0, 1024), 1024)

    _, (found,) = read(
        "selected = NonMaxSuppression (clipped, scores, most, iou, score)", old="{64}", new="{-8}"
    )
    assert found.range == Bounds(0, 1024)

    _, (found,) = read(
        "selected = NonMaxSuppression (clipped, scores, most, iou, score)", old="{64}", new="{2}"
    )
    assert (found.range, found.reach) == (Bounds(-8, 2), 8)


def test_boxes_and_scores_are_fed_and_written_as_they_lie():
    graph, (found,) = read("selected = NonMaxSuppression (clipped, scores, most, iou, score)")
    case = found.cases(probes.Ranges(Bounds(0, 64), 1.0, 0.0))[0]

    boxes, scores = found.feed(case.boxes, case.scores)

    assert np.array_equal(boxes, case.boxes.reshape(2, 6, 4))
    assert np.array_equal(scores, case.scores.transpose(0, 2, 1))
    made = found.emit(graph)
    assert [item.inputs[0].op for item in made] == ["Reshape", "Transpose"]
    assert [tuple(item.shape) for item in made] == [(2, 6, 1, 4), (2, 6, 3)]


def test_centres_are_fed_as_centres_and_written_as_corners():
    nodes = "selected = NonMaxSuppression <center_point_box = 1> (clipped, scores, most, iou, score)"
    graph, (found,) = read(nodes)
    corners = np.float32([1, 2, 4, 8]) * np.ones((2, 6, 1, 4), np.float32)

    boxes, _ = found.feed(corners, np.zeros((2, 6, 3)))

    assert boxes.reshape(-1, 4).tolist() == [[2.5, 5, 3, 6]] * 12
    assert found.emit(graph)[0].inputs[0].op == "Concat"


SINGLE = """
    flat = Reshape (SCORES, single)
    moved = Add (clipped, one)
    selected = NonMaxSuppression (moved, flat, most, iou, score)
"""
ONE_SCORE = ("float[2,6,3] minor", "float[2,6,1] minor")


def test_an_addition_is_offsets_or_a_part_of_the_boxes():
    _, (apart, whole) = read(SINGLE.replace("SCORES", "minor"), old=ONE_SCORE[0], new=ONE_SCORE[1])

    assert (apart.boxes.tensor.name, whole.boxes.tensor.name) == ("clipped", "moved")
    assert (apart.boxes.shape, apart.scores.shape) == ((2, 2, 3, 4), (2, 2, 3))
    assert apart.offsets.tolist() == [[0, 0], [72, 72], [144, 144]]
    assert (apart.together, apart.by_class, apart.classes, apart.reach) == (True, False, 3, 144 + 64)
    assert (whole.together, whole.classes, whole.range) == (False, 1, Bounds(-8, 64 + 144))


def test_classes_one_after_the_other_are_by_class():
    _, (apart, _) = read(
        SINGLE.replace("SCORES", "minor"), kinds=sorted(KINDS), old=ONE_SCORE[0], new=ONE_SCORE[1]
    )

    assert apart.by_class
    assert apart.boxes.view.perm == (0, 2, 1, 3)


def test_one_class_is_neither_together_nor_by_class():
    _, (apart, _) = read(SINGLE.replace("SCORES", "minor"), kinds=[9] * 6, old=ONE_SCORE[0], new=ONE_SCORE[1])

    assert (apart.classes, apart.together, apart.by_class) == (1, False, False)
    assert apart.reach == 9 + 64


def test_classes_in_another_order_are_labels():
    kinds = [0, 144, 72, 72, 0, 0]
    graph, (apart, _) = read(
        SINGLE.replace("SCORES", "minor"), kinds=kinds, old=ONE_SCORE[0], new=ONE_SCORE[1]
    )

    assert (apart.offsets, apart.by_class, apart.together, apart.classes) == (None, False, True, 3)
    assert apart.labels.values.tolist() == [0, 1, 2, 2, 0, 0]
    assert [item.name for item in apart.borders] == ["clipped", "minor"]
    case = apart.cases(probes.Ranges(Bounds(0, 64), 1.0, 0.0))[0]
    assert case.scores.shape == (2, 6, 3)
    boxes, scores = apart.feed(case.boxes, case.scores)
    assert np.array_equal(boxes, case.boxes.reshape(2, 6, 4))
    assert np.array_equal(scores[..., 0], case.scores.max(-1))
    assert [item.inputs[0].op for item in apart.emit(graph)] == ["Reshape", "Mul"]


def test_refused_where_offsets_do_not_work_out_and_boxes_as_they_are_come_second():
    kinds = [0, 9, 18, 0, 9, 18]
    _, (apart, whole) = read(
        SINGLE.replace("SCORES", "minor"), kinds=kinds, old=ONE_SCORE[0], new=ONE_SCORE[1]
    )

    assert isinstance(apart, Refused)
    assert "9 apart" in apart.why
    assert whole.boxes.tensor.name == "moved"


@pytest.mark.parametrize(("stated", "works"), [(None, False), ((0, 72), True), ((0, 73), False)])
def test_a_stated_range_holds_where_the_graph_has_none(stated, works):
    nodes = SINGLE.replace("SCORES", "minor").replace("clipped", "free")
    _, (apart, _) = read(nodes, stated=stated, old=ONE_SCORE[0], new=ONE_SCORE[1])

    assert isinstance(apart, Refused) is not works
    assert not works or apart.range == Bounds(0, 72)
    nodes = SINGLE.replace("SCORES", "minor")
    _, (apart, _) = read(nodes, stated=(0, 99), old=ONE_SCORE[0], new=ONE_SCORE[1])
    assert apart.range == Bounds(-8, 64)


def test_without_an_addition_there_is_one_way_to_read_one_class():
    nodes = "flat = Reshape (minor, single) selected = NonMaxSuppression (clipped, flat, most, iou, score)"
    _, (only,) = read(nodes, old=ONE_SCORE[0], new=ONE_SCORE[1])

    assert only.scores.shape == (2, 6, 1)


def test_several_classes_of_a_node_and_centres_have_no_offsets():
    nodes = "moved = Add (clipped, one) selected = NonMaxSuppression (moved, scores, most, iou, score)"
    _, (only,) = read(nodes)
    assert only.boxes.tensor.name == "moved"

    nodes = SINGLE.replace("SCORES", "minor").replace("Suppression (", "Suppression <center_point_box = 1> (")
    _, (only,) = read(nodes, old=ONE_SCORE[0], new=ONE_SCORE[1])
    assert (only.boxes.tensor.name, only.centred) == ("moved", True)


def test_two_classes_of_the_node_have_no_offsets_either():
    nodes = "moved = Add (clipped, one) selected = NonMaxSuppression (moved, scores, most, iou, score)"
    _, (only,) = read(nodes, old="float[2,3,6] scores", new="float[2,2,6] scores")

    assert (only.boxes.tensor.name, only.classes) == ("moved", 2)


def test_two_classes_apart_are_together():
    _, (apart, _) = read(
        SINGLE.replace("SCORES", "minor"), kinds=[0, 72] * 3, old=ONE_SCORE[0], new=ONE_SCORE[1]
    )

    assert (apart.classes, apart.together) == (2, True)


def test_an_addition_to_scores_is_a_part_of_them():
    nodes = "sum = Add (scores, two) selected = NonMaxSuppression (clipped, sum, most, iou, score)"
    _, (only,) = read(nodes)

    assert only.scores.tensor.name == "sum"


LABELLED = """
    label = ArgMax <axis = 2, keepdims = 1> (classes)
    cast = Cast <to = 1> (label)
    offset = Mul (cast, far)
    flat = Reshape (minor, single)
    moved = Add (clipped, offset)
    selected = NonMaxSuppression (moved, flat, most, iou, score)
"""


def test_offsets_of_labels_are_measured_and_labels_are_a_source():
    new = "float[2,6,1] minor, float[2,6,3] classes"
    _, (apart, whole) = read(LABELLED, old=ONE_SCORE[0], new=new)

    assert [item.name for item in apart.borders] == ["clipped", "minor", "label"]
    assert (apart.classes, apart.together, apart.by_class, apart.offsets) == (3, True, False, None)
    assert apart.reach == 2 * 80 + 64
    case = apart.cases(probes.Ranges(Bounds(0, 64), 1.0, 0.0))[0]
    assert len(apart.feed(case.boxes, case.scores)) == 3
    assert whole.classes == 1


def test_constant_offsets_behind_a_filter_are_measured():
    nodes = """
        few = Gather <axis = 1> (clipped, kept)
        moved = Add (few, two)
        flat = Reshape (minor, single)
        cut = Gather <axis = 2> (flat, kept)
        selected = NonMaxSuppression (moved, cut, most, iou, score)
    """
    _, (apart, _) = read(nodes, old=ONE_SCORE[0], new="float[2,6,1] minor, int64[n] kept")

    assert isinstance(apart, Refused)
    assert "not one per box" in apart.why


def test_refused_where_scores_do_not_go_with_boxes():
    nodes = "selected = NonMaxSuppression (clipped, scores, most, iou, score)"
    _, (only,) = read(nodes, old="float[2,3,6] scores", new="float[2,3,7] scores")

    assert only.why == "(2, 3, 7) scores do not go with (2, 6, 4) boxes"
    assert only.tensor == "scores"


@pytest.mark.parametrize("filtered", ["boxes", "scores"])
def test_a_filter_of_boxes_or_of_scores_is_a_filter(filtered):
    nodes = """
        cut = Gather <axis = 1> (clipped, kept)
        few = Gather <axis = 2> (scores, kept)
        selected = NonMaxSuppression (BOXES, SCORES, most, iou, score)
    """
    nodes = nodes.replace("BOXES", "cut" if filtered == "boxes" else "clipped")
    nodes = nodes.replace("SCORES", "few" if filtered == "scores" else "scores")
    _, (found,) = read(nodes, old="float[2,6,4] free", new="float[2,6,4] free, int64[n] kept")

    assert found.filtered


def test_centre_and_size_are_fed_and_corners_are_written():
    corners = np.float32([[[1, 2, 4, 8]], [[0, 0, 3, 1]]])
    assert centres.of_corners(corners).tolist() == [[[2.5, 5, 3, 6]], [[1.5, 0.5, 3, 1]]]

    graph = opened("(float[1,2,1,4] x, float[1,2,1,4] z) => (float[1,2,1,4] y) { y = Neg (x) }")
    graph.replace(graph.outputs[0], centres.emit_corners(graph, graph.inputs[0]))
    graph.tidy()

    assert show(graph.model()) == text(
        """
        (float[1,2,1,4] x, float[1,2,1,4] z) => (float[1,2,1,4] y)
        <int64[1] columns = {0}, int64[1] columns_1 = {2}, int64[1] columns_2 = {3}, int64[1] columns_3 = {2}, """
        """int64[1] columns_4 = {4}, int64[1] columns_5 = {3}, float two = {2.0}>
        {
            Slice_output = Slice (x, columns, columns_1, columns_2)
            Slice_1_output = Slice (x, columns_3, columns_4, columns_5)
            Div_output = Div (Slice_1_output, two)
            Sub_output = Sub (Slice_output, Div_output)
            Add_output = Add (Slice_output, Div_output)
            y = Concat <axis = 3> (Sub_output, Add_output)
        }
        """
    )


def test_what_is_written_has_its_shape():
    graph = opened("(float[1,2,1,4] x, float[1,2,1,4] z) => (float[1,2,1,4] y) { y = Neg (x) }")

    made = centres.emit_corners(graph, graph.inputs[0])

    shapes = {node.op: tuple(node.outputs[0].shape) for node in graph.nodes}
    assert shapes == dict.fromkeys(("Slice", "Div", "Sub", "Add"), (1, 2, 1, 2)) | {
        "Neg": (1, 2, 1, 4),
        "Concat": (1, 2, 1, 4),
    }
    assert {node.outputs[0].dtype for node in graph.nodes} == {np.dtype(np.float32)}
    assert made is named(graph, made.name)[0]
