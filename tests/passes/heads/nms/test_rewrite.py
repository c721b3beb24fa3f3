"""The tensors of the old graph, made of the operator's outputs."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_passes.heads.nms import rewrite
from convertkit_passes.heads.nms.experiment.readings import Reading

from convertkit.api import heads
from tests.graphtext import show, text
from tests.passes.heads.nms.opened import DETECTIONS, opened

heads.DOMAIN.register_schemas()

OUTPUTS = """
    (float[1,4,4] boxes, float[1,4] scores, float[1,4] classes, int32[1] num) => (float[a,b] out)
    { out = Neg (scores) }
"""


def written(*readings: Reading):
    """The graph, and what a writer makes of readings."""
    graph = opened(OUTPUTS)
    writer = rewrite._Writer(graph, list(graph.inputs), tuple(graph.inputs[:2]), 1.0)
    return graph, [writer.read(item) for item in readings]


def reading(kind, shape, dtype=np.float32, **more) -> Reading:
    graph = opened("(float[1] x) => (float[1] y) { y = Neg (x) }")
    (tensor,) = graph.inputs
    tensor.dtype = np.dtype(dtype)
    return Reading(tensor, kind, 4, shape, **more)


def made(tensor) -> str:
    """The operations that make a tensor, the last one first."""
    ops = []
    while tensor.inputs:
        ops.append(tensor.inputs[0].op)
        tensor = tensor.inputs[0].inputs[0]
    return " ".join([*ops, tensor.name])


@pytest.mark.parametrize(
    ("item", "ops"),
    [
        (reading("boxes", (1, 4, 4)), "boxes"),
        (reading("boxes", (4, 4)), "Reshape boxes"),
        (reading("boxes", (1, 4, 4), np.float16), "Cast boxes"),
        (reading("boxes", (4, 4), np.float16), "Reshape Cast boxes"),
        (reading("scores", (1, 4)), "scores"),
        (reading("scores", (4, 1)), "Reshape scores"),
        (reading("classes", (1, 4)), "classes"),
        (reading("classes", (1, 4), np.int64), "Cast classes"),
        (reading("classes", (4,), np.int64, shift=1), "Reshape Cast Add classes"),
        (reading("num", (1,), np.int32), "num"),
        (reading("num", (1, 1), np.int64), "Reshape Cast num"),
        (reading("dets", (1, 4, 5)), "Concat boxes"),
        (reading("dets", (4, 5)), "Reshape Concat boxes"),
    ],
)
def test_each_kind_has_its_shape_and_type(item, ops):
    _, (found,) = written(item)

    assert made(found) == ops
    assert (found.dtype, tuple(found.shape)) == (item.tensor.dtype, item.shape)


def test_the_picture_of_each_detection_is_a_constant_0():
    _, (found,) = written(reading("batch", (4, 1), np.int64))

    assert found.values.tolist() == [[0]] * 4
    assert found.values.dtype == np.int64


def test_each_node_is_written_once():
    kinds = ["dets", "classes", "classes", "classes"]
    shifts, shapes = [0, 1, 1, 2], [(4, 5), (4,), (4,), (4,)]
    items = [
        reading(kind, shape, shift=shift) for kind, shape, shift in zip(kinds, shapes, shifts, strict=True)
    ]

    graph, found = written(*items, items[0])

    assert found[0] is found[4]
    assert found[1] is found[2]
    assert found[1] is not found[3]
    assert sorted(node.op for node in graph.nodes[1:]) == ["Add", "Add", "Concat", *["Reshape"] * 4]


def test_two_types_and_two_shapes_are_two_nodes():
    items = [reading("classes", (1, 4), np.int32), reading("classes", (1, 4), np.int64)]
    items += [reading("scores", (4,)), reading("scores", (4, 1))]

    graph, found = written(*items, *items)

    assert len({id(item) for item in found}) == 4
    assert [node.op for node in graph.nodes[1:]] == ["Cast", "Cast", "Reshape", "Reshape"]


def test_detections_are_boxes_and_scores_side_by_side():
    graph, (found,) = written(reading("dets", (1, 4, 5)))
    graph.outputs[:] = [found]
    graph.tidy()

    assert "\n".join(show(graph.model()).splitlines()[1:]) == text(
        """
        <int64[3] shape = {1, 4, 1}>
        {
            Reshape_output = Reshape (scores, shape)
            Concat_output = Concat <axis = 2> (boxes, Reshape_output)
        }
        """
    )


def test_boxes_no_larger_than_the_sides_get_score_0():
    graph = opened("(float[1,6,2,4] boxes, float[1,6,2] scores) => (float[1,6,2] out) { out = Neg (scores) }")
    boxes, scores = graph.inputs

    found = rewrite._of_size(graph, boxes, scores, np.float32([2, 3]))

    shapes = {node.op: (node.outputs[0].dtype, tuple(node.outputs[0].shape)) for node in graph.nodes[1:]}
    whole, plain = np.dtype(np.float32), (1, 6, 2)
    assert shapes == {
        "Slice": (whole, (1, 6, 2, 2)),
        "Sub": (whole, (1, 6, 2, 2)),
        "Greater": (np.dtype(np.bool_), (1, 6, 2, 2)),
        "Cast": (whole, (1, 6, 2, 2)),
        "ReduceMin": (whole, plain),
        "Mul": (whole, plain),
    }
    graph.replace(graph.outputs[0], found)
    graph.tidy()
    assert (
        show(graph.model()).splitlines()[2:]
        == text(
            """
        {
            Slice_output = Slice (boxes, columns, columns_1, columns_2)
            Slice_1_output = Slice (boxes, columns_3, columns_4, columns_5)
            Sub_output = Sub (Slice_1_output, Slice_output)
            Greater_output = Greater (Sub_output, sides)
            Cast_output = Cast <to = 1> (Greater_output)
            ReduceMin_output = ReduceMin <axes = [3], keepdims = 0> (Cast_output)
            out = Mul (scores, ReduceMin_output)
        }
        """
        ).splitlines()
    )


GRAPH = """
    (float[1,6,4] boxes, float[1,3,6] scores, float[1,3,6] more) => (int64[k,3] selected, int64[l,3] other)
    <int64[1] most = {5}, float[1] iou = {0.5}, float low = {0.3}>
    {
        selected = NonMaxSuppression (boxes, scores, most, iou, low)
        other = NonMaxSuppression (boxes, more, most, iou, low)
    }
"""


def test_every_node_has_a_finding_of_its_own():
    found = rewrite.fuse(opened(GRAPH), pad=False)

    assert [item.status for item in found] == ["refused", "refused"]


def lengths(graph) -> dict[str, tuple]:
    return {item.name: tuple(item.shape) for item in graph.outputs}


def test_padded_outputs_say_how_long_they_are_and_sizes_are_written_down():
    best = "best, places = TopK (values, num)"
    text = DETECTIONS.replace(best, f"{best} size = Shape (best) ones = ConstantOfShape (size)")
    graph = opened(text.replace("int64[1] num)", "int64[1] num, float[f] ones)"))

    (finding,) = rewrite.fuse(graph, pad=True)

    assert (finding.status, finding.tensor) == ("matched", "selected")
    assert lengths(graph) == {"found": (6, 4), "best": (6,), "kind": (6,), "num": (1,), "ones": (6,)}
    assert not list(graph.find(["NonMaxSuppression", "Shape"]))
    (node,) = graph.find("MulticlassNms", domain=heads.HEADS)
    assert node.attrs == {
        "score_threshold": 0.25,
        "iou_threshold": 0.5,
        "max_size_per_class": 5,
        "max_total_size": 6,
        "ties": "box",
        "drop_empty": 0,
    }
    whole = np.dtype(np.float32)
    assert [(item.dtype, tuple(item.shape)) for item in node.outputs] == [
        (whole, (1, 6, 4)),
        (whole, (1, 6)),
        (whole, (1, 6)),
        (np.dtype(np.int32), (1,)),
    ]


def test_a_graph_that_is_refused_says_what_it_said():
    graph = opened(DETECTIONS)
    before = lengths(graph)

    (finding,) = rewrite.fuse(graph, pad=False)

    assert finding.status == "refused"
    assert lengths(graph) == before
