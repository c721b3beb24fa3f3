"""RoiExtractor against brute force, onnxruntime, and itself in other semantics."""

from __future__ import annotations

import time

import numpy as np
import onnx
import onnxruntime
import pytest
from convertkit_ascend import ops
from convertkit_ascend.ops import roi_levels as kernel
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api.passes import UsageError
from convertkit.heads import roi_levels
from tests.ascend import oracles

ROI = ops.get("RoiExtractor")

SCALES = [1 / 4, 1 / 8]
CORNERS = (0, 0.3, 2, 3.99, 4, 16, 16.5, 31, 32, 40, -3, -4, -30, np.nan, np.inf, -np.inf)


def attributes(**values):
    return {"spatial_scale": SCALES, "pooled_height": 2, "pooled_width": 3, "finest_scale": 8, **values}


def pyramid(random, images=2, channels=3):
    return [random.standard_normal((images, channels, 32 // s, 36 // s)).astype(np.float32) for s in (4, 8)]


def random_rois(random, corners, count=3):
    """``(K, 5)``: boxes beyond the image, without area, inverted, not finite, of images that do not exist."""
    boxes = random.choice(np.array(corners, np.float32), (count, 4))
    if random.random() < 0.7:
        with np.errstate(invalid="ignore"):
            boxes[:, 2:] = boxes[:, :2] + np.abs(boxes[:, 2:])
    if random.random() < 0.5:
        boxes += random.uniform(-2, 2, boxes.shape).astype(np.float32)
    images = random.choice([0, 0, 1, 1, 2, -1, 0.5], (count, 1))
    return np.concatenate([images, boxes], 1).astype(np.float32)


def loop(features, rois, values, *, framework):
    """``(K, C, bins)`` of the oracle."""
    bins = (values["pooled_height"], values["pooled_width" if framework else "pooled_height"])
    smallest = None if framework and values["aligned"] else 1
    pooled = np.zeros((len(rois), features[0].shape[1], *bins))
    for index, roi in enumerate(rois):
        level = oracles.level(roi, values["finest_scale"], len(features), framework=framework)
        if level is not None:
            pooled[index] = oracles.roi_align(
                features[level], roi, values["spatial_scale"][level], bins,
                values["sample_num"], values["aligned"], smallest,
            )  # fmt: skip
    return pooled


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("semantics", ["framework", "ideal"])
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), aligned=st.integers(0, 1), samples=st.sampled_from([0, 0, 1, 2]))
def test_fp32_semantics_are_those_of_the_loop(semantics, seed, aligned, samples):
    random = np.random.default_rng(seed)
    features, rois = pyramid(random), random_rois(random, CORNERS)
    values = attributes(aligned=aligned, sample_num=samples)

    (found,) = ROI.compute(semantics, [*features, rois], values)

    expected = loop(features, rois, values, framework=semantics == "framework")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), aligned=st.integers(0, 1), samples=st.sampled_from([0, 0, 1, 2]))
def test_the_device_is_that_of_the_loop_in_fp16(seed, aligned, samples):
    random = np.random.default_rng(seed)
    features, rois = pyramid(random), random_rois(random, CORNERS)
    values = attributes(aligned=aligned, sample_num=samples)

    (found,) = ROI.compute("device", [*features, rois], values)

    for roi, pooled in zip(rois.astype(np.float16).astype(np.float32), found, strict=True):
        level = oracles.device_level(roi, 8, 2)
        expected = np.zeros_like(pooled)
        if level is not None:
            feature = features[level].astype(np.float16).astype(np.float32)
            expected = oracles.roi_align(
                feature, roi, SCALES[level], (2, 2), samples, aligned, 1, reciprocal=True
            )
        np.testing.assert_allclose(pooled, expected, rtol=1e-3, atol=1e-5)
        np.testing.assert_array_equal(pooled, pooled.astype(np.float16))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), aligned=st.integers(0, 1), samples=st.sampled_from([0, 1, 2]))
def test_device_rounds_the_ideal_once_where_its_inputs_are_exact(seed, aligned, samples):
    """fp16 features, corners in quarters, bins by a power of two, squares: nothing else rounds."""
    random = np.random.default_rng(seed)
    features = [item.astype(np.float16).astype(np.float32) for item in pyramid(random)]
    corner, side = random.integers(-16, 120, (5, 2)) / 4, random.integers(0, 120, (5, 1)) / 4
    rois = np.concatenate([random.integers(0, 2, (5, 1)), corner, corner + side], 1).astype(np.float32)
    values = attributes(aligned=aligned, sample_num=samples, pooled_height=2, pooled_width=2)

    (ideal,) = ROI.compute("ideal", [*features, rois], values)
    (device,) = ROI.compute("device", [*features, rois], values)

    np.testing.assert_array_equal(device, ideal.astype(np.float16).astype(np.float32))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), aligned=st.integers(0, 1), samples=st.sampled_from([0, 1, 2]))
def test_framework_and_ideal_agree_on_rois_of_a_feature_pixel_off_the_bounds(seed, aligned, samples):
    random = np.random.default_rng(seed)
    features = pyramid(random)
    corner = random.uniform(-8, 36, (4, 2))
    rois = np.concatenate([np.zeros((4, 1)), corner, corner + random.uniform(8, 40, (4, 2))], 1).astype(
        np.float32
    )
    scale = np.sqrt((rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2]))
    rois = rois[np.abs(scale - 16) > 1e-3]
    values = attributes(aligned=aligned, sample_num=samples, pooled_width=2)

    (one,) = ROI.compute("framework", [*features, rois], values)
    (two,) = ROI.compute("ideal", [*features, rois], values)

    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("semantics", ["ideal", "device"])
def test_both_sides_have_pooled_height_bins_on_ascend(semantics):
    """Both kernels take pooled_height for the width too; only mmdet makes other bins."""
    random = np.random.default_rng(0)
    inputs = [*pyramid(random), random_rois(random, (0, 4, 16, 30), 6)]
    values = attributes(pooled_height=7, pooled_width=14)

    (wide,) = ROI.compute(semantics, inputs, values)

    (square,) = ROI.compute(semantics, inputs, {**values, "pooled_width": 7})
    np.testing.assert_array_equal(wide, square)
    assert wide.shape[2:] == (7, 7)
    assert ROI.compute("framework", inputs, values)[0].shape[2:] == (7, 14)
    assert "come out 7 x 7" in ROI.limits(values, [item.shape for item in inputs], 11)[0]


@pytest.mark.parametrize(
    ("channels", "bins", "bytes_needed"),
    [
        (256, 28, 401_408),
        (1024, 14, 401_408),
        (256, 14, None),
        (250, 28, 401_408),
        (128, 32, None),
        (1, 128, 524_288),
    ],
)
def test_a_result_beyond_the_unified_buffer_is_a_remark(channels, bins, bytes_needed):
    values = attributes(pooled_height=bins, pooled_width=bins)
    shapes = [(1, channels, 64, 64), (1, channels, 32, 32), (10, 5)]

    said = [line for line in ROI.notes(values, shapes) if "unified buffer" in line]

    assert ROI.limits(values, shapes, 11) == []
    assert [f" {bytes_needed} bytes" in line for line in said] == ([] if bytes_needed is None else [True])


@pytest.mark.parametrize("mode", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("samples", [0, 2])
@pytest.mark.parametrize("seed", range(5))
def test_framework_against_onnxruntime(mode, samples, seed):
    random = np.random.default_rng(seed)
    feature = random.standard_normal((2, 8, 24, 30)).astype(np.float32)
    corner = random.uniform(-20, 100, (40, 2))
    boxes = np.concatenate([corner, corner + random.uniform(0, 80, (40, 2))], 1).astype(np.float32)
    boxes[:5, 2:] = boxes[:5, :2]
    images = random.integers(0, 2, 40)

    (expected,) = plain_roi_align(mode, samples).run(None, {"x": feature, "rois": boxes, "images": images})

    values = {"spatial_scale": [0.25], "pooled_height": 5, "pooled_width": 4, "sample_num": samples}
    values["aligned"] = int(mode == "half_pixel")
    rois = np.concatenate([images[:, None], boxes], 1).astype(np.float32)
    (found,) = ROI.compute("framework", [feature, rois], values)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def plain_roi_align(mode, samples):
    model = onnx.parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 16]>
        align (float[2,8,24,30] x, float[40,4] rois, int64[40] images) => (float[40,8,5,4] y)
        {{ y = RoiAlign <coordinate_transformation_mode = "{mode}", mode = "avg", output_height = 5,
                         output_width = 4, sampling_ratio = {samples}, spatial_scale = 0.25> (x, rois, images) }}
    """)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("levels", [2, 4, 5])
@pytest.mark.parametrize("finest", [56, 7])
def test_a_roi_on_a_bound_goes_up_in_mmdet_and_down_on_ascend(levels, finest):
    bound = finest * 2.0 ** np.arange(1, levels)
    for factor in (1, 2, 0.5):
        rois = np.zeros((levels - 1, 5), np.float32)
        rois[:, 3], rois[:, 4] = bound * factor, bound / factor
        assert roi_levels.up(rois, finest, levels).tolist() == list(range(1, levels))
        assert roi_levels.down(rois, finest, levels).tolist() == list(range(levels - 1))
        assert kernel.device(rois, finest, levels).tolist() == list(range(levels - 1))


def test_the_device_compares_the_level_in_fp16():
    """fp16 has 112 and 112.0625: a scale of 112.03 is 112 there."""
    rois = np.array([[0, 0, 0, 112.03, 112.03], [0, 0, 0, 112.04, 112.04]], np.float32)

    assert roi_levels.down(rois, 56, 4).tolist() == [1, 1]
    assert kernel.device(rois, 56, 4).tolist() == [0, 1]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 6))
def test_levels_of_random_rois_are_those_of_the_loop(seed, levels):
    random = np.random.default_rng(seed)
    rois = random_rois(random, (*CORNERS, 112, 224, 448, 1216), 20)

    with np.errstate(all="ignore"):
        for name, framework in (("up", True), ("down", False)):
            expected = [oracles.level(roi, 56, levels, framework=framework) for roi in rois]
            found = getattr(roi_levels, name)(rois, 56, levels).tolist()
            assert found == [-1 if item is None else item for item in expected]


def test_a_roi_below_a_feature_pixel_is_one_on_ascend():
    feature = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    rois = np.array([[0, 8, 8, 8, 8], [0, 8, 8, 9, 9]], np.float32)
    values = attributes(spatial_scale=[0.25], aligned=1, sample_num=0, pooled_height=1, pooled_width=1)

    framework, ideal = (
        ROI.compute(semantics, [feature, rois], values)[0].ravel() for semantics in ("framework", "ideal")
    )

    np.testing.assert_allclose(framework, [0, 14.625])
    np.testing.assert_allclose(ideal, [18, 18])


def test_a_single_level_takes_no_large_roi_on_the_device():
    feature = np.ones((1, 1, 64, 64), np.float32)
    rois = np.array([[0, 0, 0, 100, 100], [0, 0, 0, 120, 120]], np.float32)
    values = attributes(spatial_scale=[0.25], finest_scale=56, aligned=1)

    for semantics, expected in (("framework", [1, 1]), ("ideal", [1, 1]), ("device", [1, 0])):
        (found,) = ROI.compute(semantics, [feature, rois], values)
        np.testing.assert_array_equal(found[:, 0, 0, 0], expected)


def test_21_feature_pixels_take_4_samples_on_the_device():
    """21 * fp32(1 / 7) is above 3."""
    random = np.random.default_rng(0)
    feature = random.integers(-8, 9, (1, 1, 40, 40)).astype(np.float32)
    rois = np.array([[0, 9, 9, 93, 93]], np.float32)
    values = attributes(spatial_scale=[0.25], finest_scale=56, aligned=0, pooled_height=7, pooled_width=7)

    (device,) = ROI.compute("device", [feature, rois], values)

    for samples, same in ((3, False), (4, True)):
        (fixed,) = ROI.compute("device", [feature, rois], {**values, "sample_num": samples})
        assert np.array_equal(device, fixed) is same


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_feature_that_is_not_finite_stays_in_the_bins_that_touch_it(bad):
    feature = np.ones((1, 2, 16, 16), np.float32)
    feature[0, 0, 3, 3] = bad
    rois = np.array([[0, 0, 0, 64, 64]], np.float32)
    values = attributes(spatial_scale=[0.25], aligned=1, finest_scale=56, pooled_height=4, pooled_width=4)

    (found,) = ROI.compute("framework", [feature, rois], values)

    assert not np.isfinite(found[0, 0, 0, 0])
    assert np.isfinite(found[0, 0, 1:, 1:]).all()
    assert (found[0, 1] == 1).all()


def test_a_huge_roi_costs_no_more_than_the_image():
    feature = np.ones((1, 1, 16, 16), np.float32)
    rois = np.array([[0, -1e9, -1e9, 1e9, 1e9], [0, -3e38, 0, 3e38, 64], [0, -640, 0, 640, 64]], np.float32)
    overflowing = np.array([[0, -3e38, 0, 3e38, 8]], np.float32)

    started = time.perf_counter()
    (found,) = ROI.compute("ideal", [feature, rois], attributes(spatial_scale=[0.25], finest_scale=10**6))

    (nothing,) = ROI.compute("ideal", [feature, overflowing], attributes(spatial_scale=[1.0], finest_scale=9))

    assert time.perf_counter() - started < 5
    assert not nothing.any()
    assert (np.abs(found[:2]) < 1e-2).all()
    assert 0.1 < found[2].max() < 0.2


def test_the_result_has_the_type_of_the_features():
    random = np.random.default_rng(0)
    features = [item.astype(np.float16) for item in pyramid(random)]
    rois = np.array([[0, 0, 0, 9, 9]], np.float16)

    for semantics in ("framework", "ideal", "device"):
        assert ROI.compute(semantics, [*features, rois], attributes())[0].dtype == np.float16
        empty = ROI.compute(semantics, [*features, rois[:0]], attributes(pooled_width=2))[0]
        assert empty.shape == (0, 3, 2, 2)


def test_mistakes_are_refused():
    features, rois = pyramid(np.random.default_rng(0)), np.zeros((1, 5), np.float32)

    with pytest.raises(UsageError, match="2 spatial scales for 1 feature levels"):
        ROI.compute("ideal", [features[0], rois], attributes())
    with pytest.raises(UsageError, match="rois"):
        ROI.compute("ideal", [*features, rois[:, :4]], attributes())
    with pytest.raises(UsageError, match="aligned must be INT"):
        ROI.compute("ideal", [*features, rois], attributes(aligned=True))
