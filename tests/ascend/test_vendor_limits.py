"""The vendor operators: every limit just inside and just outside, and the steps of the NMS kernel with a few boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from convertkit_ascend.ops import nms_device
from convertkit_ascend.ops.lowering import take_as_vendor_operators, with_vendor_operators, written
from convertkit_ascend.ops.roi_levels import device as kernel_level

from convertkit.api import heads
from convertkit.api.errors import UnknownNameError
from convertkit.graph.light import LightModel
from convertkit.graph.opsets import opsets_of
from tests.graphtext import parse

NMS, ROI = ops.BATCH_MULTI_CLASS_NMS, ops.ROI_EXTRACTOR

LIMITS = {"score_threshold": 0.5, "iou_threshold": 0.5, "max_size_per_class": 100, "max_total_size": 100}
BOXES, SCORES = (2, 9, 5, 4), (2, 9, 5)


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ([BOXES, SCORES], []),
        ([(2, 9, 1, 4), SCORES], []),
        ([(2, 9, 5, 4, 1), SCORES], ["boxes must have rank 4, it has 5"]),
        ([BOXES, (2, 9)], ["scores must have rank 3, it has 2"]),
        ([(2, 9), (2, 9)], ["boxes must have rank 4, it has 2", "scores must have rank 3, it has 2"]),
        ([None, (2, 9)], ["scores must have rank 3, it has 2"]),
        ([None, SCORES], []),
        ([BOXES, None], []),
        ([BOXES], []),
        ([], []),
        ([(2, "n", 5, 4), SCORES], ["boxes and scores must have static shapes"]),
        ([BOXES, (2, None, 5)], ["boxes and scores must have static shapes"]),
        ([(1, 9, 5, 4), SCORES], ["boxes (1, 9, 5, 4) and scores (2, 9, 5) differ in batch or number"]),
        ([(2, 8, 5, 4), SCORES], ["boxes (2, 8, 5, 4) and scores (2, 9, 5) differ in batch or number"]),
        ([(2, 9, 4, 4), SCORES], ["boxes must be (B, N, 1 or 5, 4), they are (2, 9, 4, 4)"]),
        ([(2, 9, 5, 5), SCORES], ["boxes must be (B, N, 1 or 5, 4), they are (2, 9, 5, 5)"]),
        ([(2, 9, 1, 4), (2, 9, 0)], ["no size may be 0"]),
        ([(0, 9, 1, 4), (0, 9, 5)], ["no size may be 0"]),
        ([(2, 1024, 5, 4), (2, 1024, 5), None, (2,)], []),
        ([(2, 1025, 5, 4), (2, 1025, 5), None, (2,)],
         ["with num_valid_boxes at most 1024 boxes are taken, not 1025"]),
        ([(2, 1025, 5, 4), (2, 1025, 5), (2, 4), None], []),
        ([(2, 1025, 5, 4), (2, 1025, 5), (2, 4)], []),
        ([(2, 0, 5, 4), (2, 0, 5), None, (2,)], ["no size may be 0"]),
    ],
)  # fmt: skip
def test_shapes_that_the_nms_takes(shapes: Any, why: list[str]) -> None:
    faults = NMS.sizes(LIMITS, shapes)

    assert [item.why for item in faults] == why
    assert [item.is_open for item in faults] == ["static" in line for line in why]
    assert NMS.limits(LIMITS, shapes, 11) == why


@pytest.mark.parametrize(
    ("name", "inside", "outside", "wanted"),
    [
        ("score_threshold", [0.0, 9.0], [-1e-9], "0.0 or more"),
        ("iou_threshold", [0.0, 1.0], [-1e-9, 1.0 + 1e-9], "0.0 to 1.0"),
        ("max_size_per_class", [1, 1000], [0, 1001], "1 to 1000"),
        ("max_total_size", [1, 1000], [0, 1001], "1 to 1000"),
    ],
)
def test_attributes_that_the_nms_takes(name: str, inside: list[Any], outside: list[Any], wanted: str) -> None:
    for value in inside:
        assert NMS.limits({**LIMITS, name: value}, [BOXES, SCORES], 11) == []
    for value in outside:
        assert NMS.limits({**LIMITS, name: value}, [BOXES, SCORES], 11) == [
            f"{name} must be {wanted}, it is {value}"
        ]


@pytest.mark.parametrize(
    ("change", "boxes", "scores", "lines"),
    [
        ({}, (1, 4080, 1, 4), (1, 4080, 1), []),
        ({}, (1, 4081, 1, 4), (1, 4081, 1), ["only the best 4080 of 4081 boxes per class take part"]),
        ({}, (1, "n", 1, 4), (1, "n", 1), []),
        ({"max_size_per_class": 16}, (1, 9, 1, 4), (1, 9, 2049), []),
        ({"max_size_per_class": 16}, (1, 9, 1, 4), (1, 9, 2050), ["classes above 2048 are not exact in float16"]),
        ({"max_size_per_class": 16}, None, (1, 9, 2050), ["classes above 2048 are not exact in float16"]),
        ({}, (1, 4081, 1, 4), None, ["only the best 4080 of 4081 boxes per class take part"]),
        ({"max_size_per_class": 16}, None, (1, 9, 4096),
         ["classes above 2048 are not exact in float16"]),
        ({"max_size_per_class": 1024}, None, (1, 9, 64), []),
        ({"max_size_per_class": 1024}, None, (1, 9, 65),
         ["65 classes of 1024 boxes need 1064960 bytes of L1, an AI core has 1048576"]),
        ({"max_size_per_class": 1009}, None, (1, 9, 65),
         ["65 classes of 1009 boxes need 1064960 bytes of L1, an AI core has 1048576"]),
        ({"max_size_per_class": 1000}, None, (1, 9, 65), []),
        ({"max_size_per_class": 1000}, None, (1, 9, "c"), []),
        ({"max_total_size": 129}, None, None, ["with max_total_size 129 nmsed_num does not count the last slot"]),
        ({"max_total_size": 128}, None, None, []),
    ],
)  # fmt: skip
def test_what_the_nms_of_the_310p_does_differently(
    change: dict[str, Any], boxes: Any, scores: Any, lines: list[str]
) -> None:
    assert NMS.notes({**LIMITS, **change}, [boxes, scores]) == lines
    assert NMS.remarks({}, []) == []


LEVELS = [(1, 64, 16, 16), (1, 64, 8, 8), (9, 5)]


@pytest.mark.parametrize(
    ("change", "shapes", "why"),
    [
        ({}, LEVELS, []),
        ({"pooled_width": 8}, LEVELS,
         ["the kernel takes pooled_height for both sides: bins of 7 x 8 come out 7 x 7"]),
        ({"spatial_scale": [0.5] * 8}, [LEVELS[0]] * 8 + [LEVELS[2]], []),
        ({"spatial_scale": [0.5] * 9}, [LEVELS[0]] * 9 + [LEVELS[2]], ["it takes 1 to 8 feature levels, not 9"]),
        ({"spatial_scale": []}, [LEVELS[2]], ["it takes 1 to 8 feature levels, not 0"]),
        ({"spatial_scale": [0.5] * 3}, LEVELS, ["3 spatial scales for 2 feature levels"]),
        ({"finest_scale": 32752}, LEVELS, []),
        ({"finest_scale": 32753}, LEVELS, ["the bound of the last level is beyond float16"]),
        ({"finest_scale": 16376, "spatial_scale": [0.5] * 3}, [LEVELS[0], *LEVELS], []),
        ({"finest_scale": 16377, "spatial_scale": [0.5] * 3}, [LEVELS[0], *LEVELS],
         ["the bound of the last level is beyond float16"]),
        ({"finest_scale": 32752, "spatial_scale": [0.5]}, LEVELS[1:],
         ["with one level the kernel skips RoIs above 65504 px: use RoiAlign"]),
        ({"finest_scale": 32753, "spatial_scale": [0.5]}, LEVELS[1:],
         ["the bound of the last level is beyond float16",
          "with one level the kernel skips RoIs above 65506 px: use RoiAlign"]),
        ({}, [(64, 16, 16), *LEVELS[1:]], ["features must have rank 4"]),
        ({}, [None, *LEVELS[1:]], []),
        ({}, [LEVELS[0], (2, 64, 8, 8), LEVELS[2]], ["features differ in batch or channels"]),
        ({}, [LEVELS[0], (1, 63, 8, 8), LEVELS[2]], ["features differ in batch or channels"]),
        ({}, [*LEVELS[:2], (9, 4)], ["rois must be (K, 5), they are (9, 4)"]),
        ({}, [*LEVELS[:2], (9, 5, 1)], ["rois must be (K, 5), they are (9, 5, 1)"]),
        ({}, [*LEVELS[:2], (5,)], ["rois must be (K, 5), they are (5,)"]),
        ({}, [*LEVELS[:2], None], []),
        ({}, [*LEVELS[:2], ("k", 5)], ["features and rois must have static shapes"]),
        ({}, [*LEVELS[:2], (0, 5)], ["no size may be 0"]),
        ({}, [(1, 64, 0, 16), *LEVELS[1:]], ["no size may be 0"]),
        ({"pool_mode": "max"}, LEVELS, ["pool_mode must be avg, it is 'max'"]),
    ],
)  # fmt: skip
def test_shapes_that_the_roi_extractor_takes(change: dict[str, Any], shapes: Any, why: list[str]) -> None:
    values = {"spatial_scale": [0.5, 0.25], **change}

    faults = ROI.sizes(ROI.complete(values), shapes)

    assert [item.why for item in faults] == why
    assert [item.is_open for item in faults] == ["static" in line for line in why]
    assert [item.attribute for item in faults] == ["pool_mode" if "pool_mode" in line else "" for line in why]


@pytest.mark.parametrize(
    ("name", "inside", "outside", "wanted"),
    [
        ("finest_scale", [1, 9], [0], "1 or more"),
        ("spatial_scale", [[0.0, 1.0]], [[-0.5, 1.0]], "0.0 or more"),
        ("pooled_height", [1], [0], "1 or more"),
        ("pooled_width", [1], [0], "1 or more"),
        ("sample_num", [-1, 0, 9], [], ""),
        ("aligned", [0, 1], [-1, 2], "0 to 1"),
    ],
)
def test_attributes_that_the_roi_extractor_takes(
    name: str, inside: list[Any], outside: list[Any], wanted: str
) -> None:
    (attribute,) = (item for item in ROI.attributes if item.name == name)

    assert [attribute.violations({name: value}) for value in inside] == [[]] * len(inside)
    for value in outside:
        bad = value[0] if isinstance(value, list) else value
        assert attribute.violations({name: value}) == [f"{name} must be {wanted}, it is {bad}"]


def test_an_attribute_that_a_roi_extractor_leaves_out_means_what_the_vendor_says() -> None:
    assert ROI.complete({}) == {
        "finest_scale": 56, "roi_scale_factor": 0.0, "spatial_scale": (0.25, 0.125, 0.0625, 0.03125),
        "pooled_height": 7, "pooled_width": 7, "sample_num": 0, "pool_mode": "avg", "aligned": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "features", "lines"),
    [
        ({}, (2048, 64, 8, 8), []),
        ({}, (2049, 64, 8, 8), ["image numbers above 2048 are not exact in float16"]),
        ({}, ("b", "c", 8, 8), []),
        ({}, None, []),
        ({}, (1,), []),
        ({"roi_scale_factor": 0.5}, None, ["roi_scale_factor is not used by the kernel"]),
        ({"pooled_height": 32, "pooled_width": 32}, (1, 128, 8, 8), []),
        ({"pooled_height": 32, "pooled_width": 33}, (1, 128, 8, 8),
         ["128 x 32 x 33 of one RoI in float16 are 270336 bytes, the unified buffer they go through has 262144; "
          "the effect was not tried"]),
        ({"pooled_height": 32, "pooled_width": 32}, (1, 129, 8, 8),
         ["129 x 32 x 32 of one RoI in float16 are 294912 bytes, the unified buffer they go through has 262144; "
          "the effect was not tried"]),
    ],
)  # fmt: skip
def test_what_the_roi_extractor_of_the_310p_does_differently(
    values: dict[str, Any], features: Any, lines: list[str]
) -> None:
    assert ROI.notes(values, [features, (9, 5)]) == lines
    assert ROI.remarks(ROI.complete({}), []) == []


@pytest.mark.parametrize(("opset", "known"), [(10, False), (11, True), (16, True), (17, False)])
def test_opsets_at_which_the_parser_knows_the_operators(opset: int, known: bool) -> None:
    for op, values, shapes in ((NMS, LIMITS, [BOXES, SCORES]), (ROI, {"spatial_scale": [0.5, 0.25]}, LEVELS)):
        assert op.limits(values, shapes, opset) == (
            [] if known else [f"opset must be 11 to 16, it is {opset}"]
        )


def test_what_is_wrong_with_an_attribute_is_said_before_shapes_are_judged() -> None:
    lines = NMS.limits({**LIMITS, "max_total_size": 0, "b": 1, "a": 1}, [(1,), (1,)], 9)

    assert lines == [
        "opset must be 11 to 16, it is 9",
        "a is not an attribute of BatchMultiClassNMS",
        "b is not an attribute of BatchMultiClassNMS",
        "max_total_size must be 1 to 1000, it is 0",
    ]


def test_names_of_operators_and_semantics_are_told_where_one_is_unknown() -> None:
    with pytest.raises(UnknownNameError) as caught:
        NMS.compute("exact", [], LIMITS)  # type: ignore[arg-type]
    assert caught.value.known == ("device", "framework", "ideal")
    with pytest.raises(UnknownNameError) as caught:
        ops.get("Nms")
    assert caught.value.known == ops.names()
    assert ops.add(NMS) is NMS


@pytest.mark.parametrize(("side", "kept"), [(1.2e-6, 1), (0.9e-6, 2)])
def test_the_union_of_the_golden_model_is_at_least_1e_12(side: float, kept: int) -> None:
    boxes = np.array([[[[0, 0, side, side]]] * 2], np.float32)
    scores = np.array([[[0.75], [0.625]]], np.float32)

    found = NMS.compute("ideal", [boxes, scores], {**LIMITS, "iou_threshold": 0.9})

    assert found[3].tolist() == [kept]


# the kernel of the NMS


@pytest.mark.parametrize(
    ("count", "plain", "high_precision"),
    [(1, 4080, 4080), (4080, 4080, 4080), (4081, 4080, 4080), (8160, 4080, 4080), (8161, 4080, 8160),
     (12240, 4080, 8160), (12241, 4080, 12240)],
)  # fmt: skip
def test_how_many_boxes_of_a_class_can_be_kept(count: int, plain: int, high_precision: int) -> None:
    assert nms_device.considered(count, False) == plain
    assert nms_device.considered(count, True) == high_precision


def test_totals_of_which_the_last_slot_is_not_counted() -> None:
    assert [total for total in range(1, 1001) if nms_device.counts_all_but_one(total)] == [
        129, 257, 385, 513, 641, 769, 897,
    ]  # fmt: skip


def test_rows_of_a_class_come_in_sixteens() -> None:
    assert [nms_device.reserved(most) for most in (1, 16, 17, 1000)] == [16, 16, 32, 1008]


def device(boxes: Any, scores: Any, window: Any = None, **change: Any) -> list[Any]:
    """What the kernel gives for boxes that all classes share, one image: boxes, scores, classes, how many."""
    inputs: list[Any] = [np.array(boxes, np.float32)[None, :, None], np.array(scores, np.float32)[None]]
    if window is not None:
        inputs.append(np.array([window], np.float32))
    values = {**LIMITS, "score_threshold": 0.25, "max_total_size": 3, **change}
    return [item[0].tolist() for item in nms_device.device(inputs, values)]


FULL = [1000.0, 3.0, 1216.0, 7.5]  # of which 3 is not exact after the way down and up
ROUNDED = [1000.0, 2.998046875, 1216.0, 7.5]


@pytest.mark.parametrize(
    ("window", "scaled"),
    [
        (None, True),
        ([0, 0, 2000, 19.4], False),  # rounded to 19
        ([0, 0, 2000, 20.4], True),  # rounded to 20, and the limit itself is not small
        ([0, 0, 200, 200], True),
        ([0, 0, 199, 200], False),
        ([0, 0, np.inf, 9], True),
        ([0, 0, np.nan, 9], True),
    ],
)
def test_boxes_are_scaled_unless_the_window_is_small(window: Any, scaled: bool) -> None:
    down_and_up = nms_device.Reduced(np.float16(0.1), np.float16(10))
    image = heads.ImageInputs(
        np.zeros((1, 1, 4), np.float32),
        np.zeros((1, 1), np.float32),
        None if window is None else np.array(window, np.float32),
        np.ones(1, np.bool_),
    )

    found = nms_device.Reduced.of(image)

    assert found == (down_and_up if scaled else nms_device.Reduced(np.float16(1), np.float16(1)))


def test_a_box_goes_down_and_up_and_is_rounded() -> None:
    boxes, scores, classes, count = device([FULL], [[0.5]])

    assert (boxes[0], scores, classes, count) == (ROUNDED, [0.5, 0, 0], [0, 0, 0], 1)


def test_in_a_small_window_a_box_stays_as_it_is() -> None:
    box = [1.0, 3.0, 12.0, 7.5]

    assert device([box], [[0.5]], [0, 0, 64, 64])[0][0] == box


def test_a_box_is_cut_at_the_window_and_one_without_area_has_no_score() -> None:
    boxes = [[-8, -8, 16, 16], [64, 0, 80, 8], [0, 64, 8, 80], [40, 40, 40, 50]]

    found, scores, _, count = device(boxes, [[0.5], [0.75], [0.75], [0.75]], [0, 0, 64, 64])

    assert (found[0], scores, count) == ([0, 0, 16, 16], [0.5, 0, 0], 1)


def test_without_a_window_a_box_without_area_is_kept() -> None:
    assert device([[40, 40, 40, 50]], [[0.5]])[3] == 1


def test_a_score_at_the_threshold_does_not_count() -> None:
    apart = [[0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10]]
    above = float(np.nextafter(np.float16(0.25), np.float16(1)))

    boxes, scores, _, count = device(apart, [[0.25], [above], [0.5]])

    assert (scores, count) == ([0.5, above, 0], 2)
    assert boxes[2] == [0, 0, 0, 0]


def test_a_last_slot_that_no_row_fills_is_not_forgotten() -> None:
    corners = [[100.0 * place, 0, 100.0 * place + 50, 50] for place in range(16)]

    full = device(corners, [[0.5]] * 16, max_size_per_class=16, max_total_size=129)

    assert full[3] == 16


@pytest.mark.parametrize(("other", "kept"), [([0, 0, 80, 79], 1), ([0, 0, 80, 39], 2), ([79, 0, 150, 80], 2)])
def test_boxes_that_overlap_by_more_than_half_are_one(other: list[float], kept: int) -> None:
    """In a small window nothing but small whole numbers is computed, in inclusive pixels."""
    assert device([[0, 0, 80, 80], other], [[0.75], [0.5]], [0, 0, 160, 160])[3] == kept


def test_of_one_class_so_many_are_kept_and_in_all_so_many() -> None:
    apart = [[0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10]]
    scores = [[0.5, 0.9375], [0.625, 0.75], [0.875, 0.375]]

    _, best, classes, count = device(apart, scores, max_size_per_class=2, max_total_size=4)

    assert (best, classes, count) == ([0.9375, 0.875, 0.75, 0.625], [1, 0, 1, 0], 4)
    assert device(apart, scores, max_size_per_class=1, max_total_size=4)[3] == 2
    assert device(apart, scores, max_total_size=2)[1] == [0.9375, 0.875]


@pytest.mark.parametrize(("side", "level"), [(112.03, 0), (112.1, 1), (224, 1), (224.2, 2), (9e9, 2)])
def test_the_level_that_the_kernel_takes(side: float, level: int) -> None:
    rois = np.array([[0, 0, 0, side, side]], np.float32)

    assert kernel_level(rois, 56, 3).tolist() == [level]
    assert kernel_level(rois, 56, 1).tolist() == [0 if level == 0 else -1]


# from heads to the vendor's operators


HEADS = {
    "roi": """(float[1,2,8,8] f, float[3,5] rois) => (float[3,2,2,2] MultilevelRoiAlign_y)
    { MultilevelRoiAlign_y = convertkit.heads.MultilevelRoiAlign <finest_scale = 8, spatial_scale = [0.25],
      output_height = 2, output_width = 3, OPTIONS> (f, rois) }""",
    "nms": """(float[1,4,1,4] boxes, float[1,4,2] scores) => (float[1,3,4] b)
    { b, s, c, n = convertkit.heads.MulticlassNms <score_threshold = 0.1, iou_threshold = 0.5,
      max_size_per_class = 2, max_total_size = 3, OPTIONS> (boxes, scores) }""",
    "other": '(float[2] x) => (float[2] y) { y = convertkit.heads.SomethingElse <text = "a"> (x) }',
}


def head(name: str, options: str = "") -> LightModel:
    made = parse(HEADS[name].replace(", OPTIONS", f", {options}" if options else ""))
    made.proto.opset_import.append(onnx.helper.make_opsetid(heads.HEADS, heads.VERSION))
    return made


@pytest.mark.parametrize(
    ("options", "samples", "aligned"), [("", 0, 1), ("sampling_ratio = 2, aligned = 0", 2, 0)]
)
def test_a_roi_align_is_looked_at_as_the_vendors(options: str, samples: int, aligned: int) -> None:
    proto = head("roi", options).proto
    lowered = with_vendor_operators(head("roi", options)).proto.graph

    take_as_vendor_operators(proto)

    (node,) = proto.graph.node
    assert (node.op_type, node.domain, list(node.output)) == (
        "RoiExtractor", ops.DOMAIN, ["MultilevelRoiAlign_y"]
    )  # fmt: skip
    assert written(node) == written(lowered.node[0]) == {
        "finest_scale": 8, "spatial_scale": [0.25], "pooled_height": 2, "pooled_width": 3,
        "sample_num": samples, "pool_mode": "avg", "aligned": aligned,
    }  # fmt: skip
    assert opsets_of(proto) == {"": 11, heads.HEADS: heads.VERSION, ops.DOMAIN: heads.VERSION}
    assert [value.name for value in lowered.output] == ["MultilevelRoiAlign_y"]


def test_an_nms_is_looked_at_without_its_switches() -> None:
    proto = head("nms", 'ties = "box", drop_empty = 1, smallest_union = 0.5').proto

    take_as_vendor_operators(proto)

    found = written(proto.graph.node[0])
    assert sorted(found) == ["iou_threshold", "max_size_per_class", "max_total_size", "score_threshold"]
    assert (found["max_size_per_class"], found["max_total_size"]) == (2, 3)


@pytest.mark.parametrize(
    ("name", "options", "domain"), [("roi", "aligned = 2", heads.HEADS), ("other", "", heads.HEADS)]
)
def test_what_the_vendor_has_not_is_looked_at_as_it_is(name: str, options: str, domain: str) -> None:
    proto = head(name, options).proto
    before = proto.graph.SerializeToString()

    take_as_vendor_operators(proto)

    assert proto.graph.SerializeToString() == before
    assert proto.graph.node[0].domain == domain


def test_a_graph_without_heads_is_looked_at_unchanged() -> None:
    proto = parse("(float[2] x) => (float[2] y) { y = MulticlassNms (x) }").proto
    before = proto.SerializeToString()

    take_as_vendor_operators(proto)

    assert proto.SerializeToString() == before


def test_names_after_the_head_become_names_after_the_vendors_operator_unless_they_are_outputs() -> None:
    text = """(float[1,2,8,8] f, float[3,5] rois) => (float[3,2,2,2] MultilevelRoiAlign_y)
    { MultilevelRoiAlign_a = convertkit.heads.MultilevelRoiAlign <finest_scale = 8, spatial_scale = [0.25],
      output_height = 2, output_width = 2> (f, rois)
      my_MultilevelRoiAlign = convertkit.heads.MultilevelRoiAlign <finest_scale = 8, spatial_scale = [0.25],
      output_height = 2, output_width = 2> (f, rois)
      MultilevelRoiAlign_y = Add (MultilevelRoiAlign_a, my_MultilevelRoiAlign) }"""
    model = parse(text)
    model.proto.opset_import.append(onnx.helper.make_opsetid(heads.HEADS, heads.VERSION))

    graph = with_vendor_operators(model).proto.graph

    assert [node.output[0] for node in graph.node] == [
        "RoiExtractor_a", "my_MultilevelRoiAlign", "MultilevelRoiAlign_y"
    ]  # fmt: skip
