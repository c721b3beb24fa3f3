"""BatchMultiClassNMS against brute force, onnxruntime, and itself in other semantics."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from convertkit_ascend import ops
from convertkit_ascend.ops import nms_device
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convertkit.api.errors import UnknownNameError
from convertkit.api.passes import UsageError
from tests.ascend import oracles

NMS = ops.get("BatchMultiClassNMS")

CORNERS = (0, 0.1, 1, 10, 10.5, 20, 21.3, 100, 640.7, 1216, 1500, -5, 3e4, 7e4, np.nan, np.inf, -np.inf)
SCORES = (0, 0.05, 0.05005, 0.3, 0.3, 0.3001, 0.7, 1, -1, np.nan, np.inf)


def attributes(score=0.05, iou=0.5, per_class=100, total=100):
    return {
        "score_threshold": score,
        "iou_threshold": iou,
        "max_size_per_class": per_class,
        "max_total_size": total,
    }


@st.composite
def cases(draw, corners=CORNERS, scores=SCORES):
    """Boxes ``(1, N, q, 4)``, scores ``(1, N, C)`` and attributes; corners often coincide, and often are no box."""
    count, classes = draw(st.integers(1, 10)), draw(st.integers(1, 3))
    shared = draw(st.sampled_from([1, classes]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    boxes = random.choice(np.array(corners, np.float32), (1, count, shared, 4))
    if draw(st.booleans()):
        boxes = np.concatenate([boxes[..., :2], boxes[..., :2] + np.abs(boxes[..., 2:])], -1)
    if draw(st.booleans()):
        boxes += random.normal(0, 5, boxes.shape).astype(np.float32)
    values = random.choice(np.array(scores, np.float32), (1, count, classes))
    score, iou = draw(st.sampled_from([0.0, 0.05, 0.3])), draw(st.sampled_from([0.0, 1 / 3, 0.5, 0.7, 1.0]))
    sizes = [draw(st.sampled_from([1, 2, 3, 100])) for _ in range(2)]
    return boxes, values, attributes(score, iou, *sizes)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("semantics", ["framework", "ideal"])
@settings(max_examples=300, deadline=None)
@given(case=cases())
def test_fp32_semantics_are_those_of_the_loop(semantics, case):
    boxes, scores, values = case

    found_boxes, found_scores, found_classes, count = NMS.compute(semantics, [boxes, scores], values)

    expected = oracles.nms(boxes[0], scores[0], values, framework=semantics == "framework")
    used = len(expected)
    assert count == [used]
    np.testing.assert_array_equal(found_scores[0, :used], [item[0] for item in expected])
    np.testing.assert_array_equal(found_classes[0, :used], [item[1] for item in expected])
    wanted = [boxes[0, index, kind % boxes.shape[2]] for _, kind, index in expected]
    np.testing.assert_array_equal(found_boxes[0, :used], np.reshape(wanted, (-1, 4)))
    assert not found_boxes[0, used:].any()
    assert not found_scores[0, used:].any()
    assert not found_classes[0, used:].any()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=300, deadline=None)
@given(case=cases())
def test_the_device_is_that_of_the_loop_in_fp16(case):
    boxes, scores, values = case

    found_boxes, found_scores, found_classes, count = NMS.compute("device", [boxes, scores], values)

    slots = oracles.device_nms(boxes[0], scores[0], values)
    assert count == [sum(valid for valid, *_ in slots)]
    for got, place in ((found_scores, 1), (found_classes, 2), (found_boxes, 3)):
        wanted = np.reshape([slot[place] for slot in slots], (len(slots), *got.shape[2:]))
        np.testing.assert_array_equal(got[0, : len(slots)], wanted)
        assert not got[0, len(slots) :].any()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_few_hundred_boxes_cross_several_blocks(seed):
    random = np.random.default_rng(seed)
    boxes, scores = crowd(random, 400), random.uniform(0, 1, (400, 1)).astype(np.float32)
    values = attributes(0.0, 0.6, 300, 300)
    inputs = [boxes[None, :, None], scores[None]]

    for semantics in ("framework", "ideal"):
        expected = oracles.nms(boxes[:, None], scores, values, framework=semantics == "framework")
        found = NMS.compute(semantics, inputs, values)
        np.testing.assert_array_equal(
            found[0][0, : len(expected)], [boxes[index] for _, _, index in expected]
        )
        assert found[3] == [len(expected)]
    expected = [box for valid, *_, box in oracles.device_nms(boxes[:, None], scores, values) if valid]
    found = NMS.compute("device", inputs, values)
    np.testing.assert_array_equal(found[0][0, : len(expected)], expected)


def crowd(random, count, size=1216):
    """``(count, 4)`` boxes that overlap in groups, some beyond the image."""
    centre = random.uniform(0, size, (count // 8 + 1, 2)).repeat(8, 0)[:count] + random.normal(
        0, 6, (count, 2)
    )
    half = np.exp(random.uniform(1, 5, (count // 8 + 1, 2))).repeat(8, 0)[:count] / 2
    return np.concatenate([centre - half, centre + half], 1).astype(np.float32)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 3), st.sampled_from([0.3, 0.5, 0.7]))
def test_framework_and_ideal_agree_on_boxes_with_area_and_distinct_scores(seed, count, classes, iou):
    random = np.random.default_rng(seed)
    boxes = crowd(random, count, 100)[None, :, None]
    scores = (random.permutation(count * classes).reshape(1, count, classes) / 200).astype(np.float32)

    one = NMS.compute("framework", [boxes, scores], attributes(iou=iou, total=50))
    two = NMS.compute("ideal", [boxes, scores], attributes(iou=iou, total=50))

    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(1, 3), st.sampled_from([0.0, 1 / 3, 0.6, 1.0]))
@example(0, 20, 1, 0.6)
def test_device_and_ideal_agree_where_nothing_rounds(seed, count, classes, iou):
    """Multiples of 8 up to 40 and a small window (no scaling by 0.1); t / (1 + t) is exact in fp16."""
    random = np.random.default_rng(seed)
    low, extent = random.integers(0, 4, (1, count, 1, 2)), random.integers(1, 4, (1, count, 1, 2))
    boxes = (8 * np.concatenate([low, np.minimum(low + extent, 5)], -1)).astype(np.float32)
    scores = (random.integers(0, 16, (1, count, classes)) / 16).astype(np.float32)
    inputs = [boxes, scores, np.array([[0, 0, 48, 48]], np.float32)]

    exact = NMS.compute("ideal", inputs, attributes(0.25, iou, 10, 12))
    rounded = NMS.compute("device", inputs, attributes(0.25, iou, 10, 12))

    used = exact[3][0]
    assert rounded[3] == used
    np.testing.assert_array_equal(exact[0], rounded[0])
    np.testing.assert_array_equal(exact[1], rounded[1])
    np.testing.assert_array_equal(exact[2][0, :used], rounded[2][0, :used])


@pytest.mark.parametrize("seed", range(20))
def test_framework_against_onnxruntime(seed):
    random = np.random.default_rng(seed)
    count, classes = int(random.integers(1, 200)), int(random.integers(1, 4))
    boxes = crowd(random, count, 200)
    scores = random.uniform(0, 1, (1, count, classes)).astype(np.float32)
    session = plain_nms(count, classes, 0.5, 0.3, 20)

    (selected,) = session.run(None, {"boxes": boxes[None], "scores": scores.transpose(0, 2, 1)})

    found = NMS.compute("framework", [boxes[None, :, None], scores], attributes(0.3, 0.5, 20, 1000))
    expected = sorted(selected[:, 1:].tolist(), key=lambda pair: -scores[0, pair[1], pair[0]])
    used = found[3][0]
    assert found[2][0, :used].tolist() == [kind for kind, _ in expected]
    np.testing.assert_array_equal(found[0][0, :used], boxes[[index for _, index in expected]].reshape(-1, 4))


def plain_nms(count, classes, iou, score, most):
    model = onnx.parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 11]>
        nms (float[1,{count},4] boxes, float[1,{classes},{count}] scores) => (int64[n,3] selected)
        <int64 most = {{{most}}}, float iou = {{{iou}}}, float score = {{{score}}}>
        {{ selected = NonMaxSuppression (boxes, scores, most, iou, score) }}
    """)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def test_the_kernel_looks_at_4080_boxes_only():
    boxes, scores = decoys(4080, 20)

    assert NMS.compute("ideal", [boxes, scores], attributes(0.0))[3] == 21
    assert NMS.compute("device", [boxes, scores], attributes(0.0))[3] == 1
    assert NMS.compute("device", [boxes[:, 1:], scores[:, 1:]], attributes(0.0))[3] == 2


def decoys(same, others):
    """``same`` copies of one box, then ``others`` with lower scores, far from each other."""
    step = 50 * np.arange(1, others + 1, dtype=np.float32)
    far = np.stack([step, step, step + 40, step + 40], 1)
    boxes = np.concatenate([np.tile(np.array([0, 0, 40, 40], np.float32), (same, 1)), far])
    scores = np.concatenate([np.full(same, 0.9), np.full(others, 0.5)]).astype(np.float32)
    return boxes[None, :, None], scores[None, :, None]


def test_high_precision_looks_further_but_not_at_the_last_block():
    values = attributes(0.0)
    boxes, scores = decoys(4080, 4)
    assert nms_device.device([boxes, scores], values, high_precision=True)[3] == 1
    boxes, scores = decoys(8150, 20)
    assert nms_device.device([boxes, scores], values, high_precision=True)[3] == 11
    assert nms_device.device([boxes, scores], values)[3] == 1


def test_boxes_of_the_device_carry_the_rounding_of_the_scale():
    """By hand: 3 * fp16(0.1) = 0.29993 is a tie between 1228 and 1229 / 4096; times 10 that is 2.998046875."""
    boxes = np.array([[[[1000.0, 3.0, 1216.0, 7.5]]]], np.float32)

    found = NMS.compute("device", [boxes, np.ones((1, 1, 1), np.float32)], attributes(total=1))[0]

    np.testing.assert_array_equal(found, [[[1000.0, 2.998046875, 1216.0, 7.5]]])


def test_classes_of_unused_slots_are_not_masked_on_the_device():
    boxes = np.array([[[[0, 0, 9, 9]], [[50, 50, 90, 90]]]], np.float32)
    scores = np.array([[[0.9, 0.0], [0.0, 0.04]]], np.float32)

    ideal = NMS.compute("ideal", [boxes, scores], attributes(total=3))
    device = NMS.compute("device", [boxes, scores], attributes(total=3))

    assert (ideal[3], device[3]) == (1, 1)
    np.testing.assert_array_equal(ideal[2], [[0, 0, 0]])
    np.testing.assert_array_equal(device[2], [[0, 1, 0]])


def test_slots_below_the_threshold_are_multiplied_by_0_on_the_device():
    """1e6 is infinite in fp16, and 0 times that is NaN; 65,504 is finite and gives 0."""
    boxes = np.array([[[[0, 0, 9, 9]], [[1e6, 0, 1e6, 50]], [[0, 0, 65504, 50]]]], np.float32)
    scores = np.array([[[0.9], [0.04], [0.03]]], np.float32)

    ideal = NMS.compute("ideal", [boxes, scores], attributes(total=4))
    device = NMS.compute("device", [boxes, scores], attributes(total=4))

    assert (ideal[3], device[3]) == (1, 1)
    np.testing.assert_array_equal(ideal[0][0, 1:], np.zeros((3, 4)))
    np.testing.assert_array_equal(device[0][0, 1:], [[np.nan, 0, np.nan, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(device[1][0, 1:], [0, 0, 0])


def test_the_last_slot_of_129_is_not_counted_on_the_device():
    corner = 100.0 * np.stack(np.meshgrid(np.arange(12), np.arange(12)), -1).reshape(1, -1, 1, 2)[:, :129]
    boxes = np.concatenate([corner, corner + 50], -1).astype(np.float32)
    scores = np.full((1, 129, 1), 0.5, np.float32)

    for size, counted in ((128, 128), (129, 128)):
        found = NMS.compute("device", [boxes, scores], attributes(0.0, 0.5, size, size))
        assert found[3] == counted
        assert (found[1] > 0).sum() == size


def test_clip_window_and_num_valid_boxes():
    boxes = np.array([[[[-10, 0, 30, 40]], [[100, 100, 120, 120]], [[5, 50, 30, 60]]]], np.float32)
    scores = np.array([[[0.9], [0.8], [0.7]]], np.float32)
    inputs = [boxes, scores, np.array([[0, 0, 64, 64]], np.float32)]

    ideal = NMS.compute("ideal", inputs, attributes(total=3))
    framework = NMS.compute("framework", inputs, attributes(total=3))
    device = NMS.compute("device", inputs, attributes(total=3))
    first = NMS.compute("device", [*inputs, np.array([1], np.int32)], attributes(total=3))

    np.testing.assert_array_equal(ideal[0], [[[0, 0, 30, 40], [5, 50, 30, 60], [0, 0, 0, 0]]])
    np.testing.assert_array_equal(device[0], ideal[0])
    np.testing.assert_array_equal(framework[0][0, 1], [64, 64, 64, 64])
    assert (ideal[3], framework[3], device[3], first[3]) == (2, 3, 2, 1)


def test_a_batch_keeps_its_images_apart_and_the_type_of_the_boxes():
    random = np.random.default_rng(0)
    boxes = crowd(random, 60, 100).reshape(2, 30, 1, 4).astype(np.float16)
    scores = random.uniform(0, 1, (2, 30, 2)).astype(np.float16)

    for semantics in ("framework", "ideal", "device"):
        both = NMS.compute(semantics, [boxes, scores], attributes())
        for index in range(2):
            one = NMS.compute(semantics, [boxes[index : index + 1], scores[index : index + 1]], attributes())
            for a, b in zip(both, one, strict=True):
                np.testing.assert_array_equal(a[index], b[0])
        assert [item.dtype for item in both] == [np.float16, np.float16, np.float16, np.int32]


def test_mistakes_are_refused():
    boxes, scores = np.zeros((1, 2, 1, 4), np.float32), np.zeros((1, 2, 3), np.float32)

    with pytest.raises(UsageError, match="iou_threshold is required; max_size_per_class is required"):
        NMS.compute("ideal", [boxes, scores], {"score_threshold": 0.1})
    with pytest.raises(UsageError, match="transpose_box is not an attribute"):
        NMS.compute("ideal", [boxes, scores], {**attributes(), "transpose_box": 0})
    with pytest.raises(UsageError, match="score_threshold must be FLOAT"):
        NMS.compute("ideal", [boxes, scores], attributes(score=0))
    with pytest.raises(UsageError, match="boxes"):
        NMS.compute("ideal", [boxes[:, :1], scores], attributes())
    with pytest.raises(UnknownNameError, match="idael"):
        NMS.compute("idael", [boxes, scores], attributes())
