"""Heads in standard ONNX give what their references give, under every switch."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_graphsurgeon as graphsurgeon
import pytest

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import UsageError
from convertkit.graph.domains import lowered
from convertkit.graph.light import detach
from convertkit.graph.validate import validate
from convertkit.plugins.loading import open_plugins


@pytest.fixture(autouse=True)
def known():
    open_plugins()


def graph(op, inputs, attributes, opset=11):
    """A graph of one head."""
    record = heads.MULTICLASS_NMS if op == "MulticlassNms" else heads.MULTILEVEL_ROI_ALIGN
    names = [item.name for item in record.outputs]
    given = record.compute(list(inputs.values()), attributes)
    node = onnx.helper.make_node(op, list(inputs), names, "head", domain=heads.HEADS, **attributes)
    values = [_value(name, array) for name, array in inputs.items()]
    outputs = [_value(name, array) for name, array in zip(names, given, strict=True)]
    imports = [onnx.helper.make_opsetid("", opset), onnx.helper.make_opsetid(heads.HEADS, heads.VERSION)]
    made = onnx.helper.make_graph([node], "graph", values, outputs)
    return detach(onnx.helper.make_model(made, opset_imports=imports, ir_version=8))


def _value(name, array):
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return onnx.helper.make_tensor_value_info(name, kind, array.shape)


def run(op, inputs, attributes):
    model = lowered(graph(op, inputs, attributes))
    validate(model)
    return list(open_session(model).run(inputs).values())


NMS = {"score_threshold": 0.1, "iou_threshold": 0.5, "max_size_per_class": 4, "max_total_size": 6}


def boxes_and_scores():
    """Two classes of the same boxes: equal scores, one box twice, one flipped."""
    boxes = np.array([[0, 0, 8, 8], [0, 0, 8, 8], [16, 16, 32, 32], [40, 40, 36, 36]], np.float32)
    scores = np.array([[0.5, 0.9], [0.9, 0.5], [0.5, 0.5], [0.7, 0.05]], np.float32)
    return {"boxes": boxes[None, :, None], "scores": scores[None]}


def test_sizes_of_nms_are_read_off_shapes_alone():
    """Compilers to fp16 keep in fp32 what a size is computed from: without a Shape between, the whole network."""
    nodes = lowered(graph("MulticlassNms", boxes_and_scores(), NMS)).proto.graph.node
    made_by = {name: node for node in nodes for name in node.output}
    todo = [node.input[-1] for node in nodes if node.op_type in ("Reshape", "ConstantOfShape")]
    reached = set()
    while todo:
        name = todo.pop()
        reached.add(name)
        node = made_by.get(name)
        todo += [] if node is None or node.op_type == "Shape" else node.input

    assert len(reached) > 10
    assert reached & {"boxes", "scores"} == set()


@pytest.mark.parametrize("ties", ["box", "class"])
@pytest.mark.parametrize("drop_empty", [0, 1])
def test_nms_gives_what_its_reference_gives(ties, drop_empty):
    inputs = boxes_and_scores()
    switches = {**NMS, "ties": ties, "drop_empty": drop_empty}

    found = run("MulticlassNms", inputs, switches)

    wanted = heads.MULTICLASS_NMS.compute(list(inputs.values()), switches)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_switches_of_nms_do_something():
    inputs = list(boxes_and_scores().values())

    by_box = heads.MULTICLASS_NMS.compute(inputs, NMS)
    by_class = heads.MULTICLASS_NMS.compute(inputs, {**NMS, "ties": "class"})
    with_area = heads.MULTICLASS_NMS.compute(inputs, {**NMS, "drop_empty": 1})

    assert by_box[2][0].tolist() == [
        1,
        0,
        0,
        0,
        1,
        0,
    ]  # 0.9 of box 0 in class 1 before that of box 1 in class 0
    assert by_class[2][0].tolist() == [0, 1, 0, 0, 1, 0]
    assert (by_box[3].item(), with_area[3].item()) == (5, 4)


ROI = {"finest_scale": 8, "spatial_scale": [0.25, 0.125], "output_height": 2, "output_width": 3}


@pytest.mark.parametrize(("at_bound", "level"), [("up", 1), ("down", 0)])
@pytest.mark.parametrize("aligned", [0, 1])
@pytest.mark.parametrize("opset", [11, 13, 16])
def test_roi_align_gives_what_its_reference_gives(at_bound, level, aligned, opset):
    random = np.random.default_rng(0)
    shapes = ((1, 2, 16, 16), (1, 2, 8, 8))
    features = {
        f"level{index}": random.standard_normal(shape).astype(np.float32)
        for index, shape in enumerate(shapes)
    }
    rois = np.array([[0, 4, 4, 20, 20], [0, 2, 3, 9, 14], [0, 0, 0, 50, 40], [0, 5, 5, 6, 6]], np.float32)
    inputs = {**features, "rois": rois}
    switches = {**ROI, "at_bound": at_bound, "aligned": aligned}

    model = lowered(graph("MultilevelRoiAlign", inputs, switches, opset))
    (found,) = open_session(model).run(inputs).values()

    (wanted,) = heads.MULTILEVEL_ROI_ALIGN.compute(list(inputs.values()), switches)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    other = {
        "level0": shapes[0],
        "level1": shapes[1],
    }  # the first RoI, 16 x 16, is on the bound: one level only
    del other[f"level{level}"]
    (name,) = other
    (same,) = heads.MULTILEVEL_ROI_ALIGN.compute(
        [*({**features, name: np.zeros_like(features[name])}.values()), rois], switches
    )
    np.testing.assert_array_equal(same[0], wanted[0])


def test_the_reference_clamps_where_it_is_told_to():
    feature = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    roi = np.array([[0, 10, 10, 11, 11]], np.float32)
    switches = {**ROI, "output_width": 2, "spatial_scale": [0.25], "sampling_ratio": 1}

    (clamped,) = heads.MULTILEVEL_ROI_ALIGN.compute([feature, roi], switches)
    (small,) = heads.MULTILEVEL_ROI_ALIGN.compute([feature, roi], {**switches, "clamp": 0})

    assert np.ptp(clamped) == pytest.approx(4 * np.ptp(small))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ties": "score"}, "ties must be box or class, it is 'score'"),
        ({"score_threshold": -1.0}, "score_threshold must be 0.0 or more, it is -1.0"),
        ({"max_total_size": 0}, "max_total_size must be 1 or more, it is 0"),
        ({"drop_empty": True}, "drop_empty must be INT, it is True"),
        ({"strict": 1}, "strict is not an attribute"),
    ],
)
def test_a_wrong_attribute_is_refused_in_one_line(change, why):
    with pytest.raises(UsageError) as caught:
        heads.MULTICLASS_NMS.compute(list(boxes_and_scores().values()), {**NMS, **change})

    assert caught.value.message == f"MulticlassNms: {why}"


@pytest.mark.parametrize("switch", ["clamp", "aligned"])
def test_a_switch_of_roi_align_is_on_off_or_left_out(switch):
    feature, roi = (
        np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8),
        np.array([[0, 10, 10, 11, 11]], np.float32),
    )

    def pooled(**said):
        return heads.MULTILEVEL_ROI_ALIGN.compute([feature, roi], {**ROI, "spatial_scale": [0.25], **said})[0]

    np.testing.assert_array_equal(pooled(), pooled(**{switch: 1}))
    assert not np.array_equal(pooled(), pooled(**{switch: 0}))
    with pytest.raises(UsageError, match=f"{switch} must be 0 to 1, it is 2"):
        pooled(**{switch: 2})
    schema = onnx.defs.get_schema("MultilevelRoiAlign", heads.VERSION, heads.HEADS)
    assert schema.attributes[switch].default_value.i == 1


@pytest.mark.parametrize(
    "shapes",
    [
        [(0, 5)],
        [(1, 1, 8, 8), (1, 8, 8), (1, 5)],
        [(1, 8, 8), (1, 1, 8, 8), (1, 5)],
        [(1, 1, 8, 8), (1, 2, 4, 4), (1, 5)],
        [(1, 1, 8, 8), (1, 4)],
    ],
)
def test_features_and_rois_of_other_shapes_are_refused(shapes):
    arrays = [np.zeros(shape, np.float32) for shape in shapes]

    with pytest.raises(UsageError, match="rois \\(K, 5\\) are taken, not"):
        heads.MULTILEVEL_ROI_ALIGN.compute(arrays, {**ROI, "spatial_scale": [0.25] * (len(shapes) - 1)})


def test_one_level_and_rois_are_the_least_that_the_schema_takes():
    (given,) = onnx.defs.get_schema("MultilevelRoiAlign", heads.VERSION, heads.HEADS).inputs

    assert given.min_arity == 2


def test_a_head_is_one_of_our_own_domain_only():
    ours, theirs, nobodys = (
        graphsurgeon.Node("MulticlassNms", domain=domain) for domain in (heads.HEADS, "com.example", None)
    )

    assert [heads.head_of(node) for node in (ours, theirs, nobodys)] == ["MulticlassNms", "", ""]


def test_every_name_of_the_room_can_be_had():
    assert [name for name in heads.__all__ if getattr(heads, name) is None] == []
    with pytest.raises(AttributeError, match="has no attribute 'Heads'"):
        _ = heads.Heads
