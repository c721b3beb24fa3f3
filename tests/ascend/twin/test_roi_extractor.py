"""The twin of RoiExtractor against the operator's own semantics, and its bounds between levels."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api.targets import UnavailableError
from convertkit.heads import roi_levels
from convertkit.heads.lowering.levels import area_bounds
from convertkit.heads.roi_align import Pooling, roi_align
from tests.ascend.twin.graphs import run_twin

ROI = ops.get("RoiExtractor")

SEMANTICS = ["framework", "ideal"]

SCALES = [1 / 4, 1 / 8, 1 / 16]

CORNERS = (0, 0.3, 2, 3.99, 4, 16, 16.5, 31, 32, 40, -3, -4, -30, np.nan, np.inf, -np.inf)


def attributes(**values):
    return {
        "spatial_scale": SCALES, "pooled_height": 2, "pooled_width": 2, "finest_scale": 8, "aligned": 1,
        "sample_num": 0, **values,
    }  # fmt: skip


def pyramid(random, scales=SCALES, images=2, channels=3):
    sizes = [(round(32 * scale), round(48 * scale)) for scale in scales]
    return [random.standard_normal((images, channels, *size)).astype(np.float32) for size in sizes]


def named(features, rois):
    return {**{f"level{index}": item for index, item in enumerate(features)}, "rois": rois}


def odd_rois(random, count=12):
    """``(K, 5)``: boxes beyond the image, without area, inverted, not finite, of images that do not exist."""
    boxes = random.choice(np.array(CORNERS, np.float32), (count, 4))
    if random.random() < 0.8:
        with np.errstate(invalid="ignore"):
            boxes[:, 2:] = boxes[:, :2] + np.abs(boxes[:, 2:])
    if random.random() < 0.5:
        boxes += random.uniform(-2, 2, boxes.shape).astype(np.float32)
    images = random.choice([0, 0, 0, 1, 1, 2, -1, 0.5, -0.5, np.nan], (count, 1))
    return np.concatenate([images, boxes], 1).astype(np.float32)


def expected(semantics, features, rois, values):
    """The operator, with a RoI never below one feature pixel in both semantics, as the twin documents."""
    if semantics == "ideal" or not values["aligned"]:
        return ROI.compute(semantics, [*features, rois], values)[0]
    level = roi_levels.up(rois.astype(np.float32), values["finest_scale"], len(features))
    bins = values["pooled_height"], values["pooled_width"]
    result = np.zeros((len(rois), features[0].shape[1], *bins), features[0].dtype)
    for index, (feature, scale) in enumerate(zip(features, values["spatial_scale"], strict=True)):
        pooling = Pooling(scale, bins, values["sample_num"], True, 1.0)
        mine = level == index
        result[mine] = roi_align(feature.astype(np.float32), rois[mine].astype(np.float32), pooling)
    return result


def agree(semantics, features, rois, values, *, tolerance=1e-5, **options):
    (found,) = run_twin("RoiExtractor", named(features, rois), values, semantics, **options)

    wanted = expected(semantics, features, rois, values)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=tolerance)


@pytest.mark.parametrize("semantics", SEMANTICS)
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), aligned=st.integers(0, 1), samples=st.sampled_from([0, 2, -1]))
def test_odd_rois(semantics, seed, aligned, samples):
    random = np.random.default_rng(seed)

    agree(semantics, pyramid(random), odd_rois(random), attributes(aligned=aligned, sample_num=samples))


@pytest.mark.parametrize("semantics", SEMANTICS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_one_level_takes_every_roi(semantics, seed):
    random = np.random.default_rng(seed)
    scales = SCALES[:1]

    agree(semantics, pyramid(random, scales), odd_rois(random), attributes(spatial_scale=scales))


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("size", [5, 10, 20, 40])
def test_one_roi_leaves_the_other_levels_empty(semantics, size):
    random = np.random.default_rng(size)

    agree(semantics, pyramid(random), np.array([[1, 2, 3, 2 + size, 3 + size]], np.float32), attributes())


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_no_level_takes_any(semantics):
    random = np.random.default_rng(0)
    rois = np.array([[0, 10, 10, 5, 20], [7, 0, 0, 9, 9]], np.float32)

    (found,) = run_twin("RoiExtractor", named(pyramid(random), rois), attributes(), semantics)

    np.testing.assert_array_equal(found, np.zeros((2, 3, 2, 2)))


def test_bins_that_the_kernels_do_not_make_have_no_ideal_twin():
    inputs, values = (
        named(pyramid(np.random.default_rng(0)), np.zeros((2, 5), np.float32)),
        attributes(pooled_width=3),
    )

    with pytest.raises(UnavailableError, match="pooled_height for both sides: bins of 2 x 3 come out 2 x 2"):
        run_twin("RoiExtractor", inputs, values, "ideal")
    (found,) = run_twin("RoiExtractor", inputs, values, "framework")
    assert found.shape[2:] == (2, 3)


@pytest.mark.parametrize("opset", range(11, 17))
@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("aligned", [0, 1])
def test_every_opset(semantics, opset, aligned):
    random = np.random.default_rng(opset)

    agree(semantics, pyramid(random), odd_rois(random), attributes(aligned=aligned), opset=opset)


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_every_bound_between_levels(semantics):
    """Constant features say which level a RoI was pooled from; widths go over each bound in steps of one float."""
    levels = [np.full((1, 1, 128 >> index, 128 >> index), 1 + index, np.float32) for index in range(4)]
    scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    bounds = [np.float32(56 * 2**i) for i in range(5)]
    widths = np.concatenate([_neighbours(bound, 60) for bound in bounds])
    rois = np.zeros((len(widths), 5), np.float32)
    rois[:, 3], rois[:, 4] = widths, np.repeat(bounds, 121)
    values = attributes(spatial_scale=scales, finest_scale=56, pooled_height=1, pooled_width=1, sample_num=1)

    (found,) = run_twin("RoiExtractor", named(levels, rois), values, semantics)

    level = {"framework": roi_levels.up, "ideal": roi_levels.down}[semantics](rois, 56, 4)
    assert set(level) == {0, 1, 2, 3}
    np.testing.assert_array_equal(found.reshape(-1), level + 1)


def _neighbours(value, count):
    """The floats around a value, itself in the middle."""
    bits = np.array([value], np.float32).view(np.int32) + np.arange(-count, count + 1, dtype=np.int32)
    return bits.view(np.float32)


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize(("finest", "levels"), [(56, 4), (1, 8), (7, 2), (112, 5), (56, 1)])
def test_bounds_are_where_the_semantics_changes_level(semantics, finest, levels):
    choose = {"framework": roi_levels.up, "ideal": roi_levels.down}[semantics]

    bounds = area_bounds({"framework": "up", "ideal": "down"}[semantics], finest, levels)

    areas = np.concatenate([_neighbours(bound, 500) for bound in bounds] or [np.ones(1, np.float32)])
    rois = np.zeros((len(areas), 5), np.float32)
    rois[:, 3], rois[:, 4] = areas, 1
    level = (areas[:, None] > bounds).sum(1)
    np.testing.assert_array_equal(choose(rois, finest, levels), level)


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_random_rois_of_a_real_pyramid(semantics):
    random = np.random.default_rng(0)
    scales = [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    features = [random.standard_normal((1, 2, 8 * n, 8 * n)).astype(np.float32) for n in (8, 4, 2, 1)]
    corners = random.uniform(0, 256, (300, 2, 2))
    rois = np.concatenate([np.zeros((300, 1)), corners.min(1), corners.max(1)], 1).astype(np.float32)

    agree(semantics, features, rois, {"spatial_scale": scales, "finest_scale": 24, **seven()})


def seven():
    return {"pooled_height": 7, "pooled_width": 7, "aligned": 1, "sample_num": 0}


def test_framework_keeps_the_clamp_of_the_stock_export():
    """Documented: mmcv's aligned RoIAlign pools a RoI of half a feature pixel as it is, the twin as a whole pixel."""
    features = pyramid(np.random.default_rng(0))
    rois = np.array([[0, 8, 8, 10, 10]], np.float32)

    (found,) = run_twin("RoiExtractor", named(features, rois), attributes(), "framework")

    np.testing.assert_allclose(found, ROI.compute("ideal", [*features, rois], attributes())[0], atol=1e-5)
    assert abs(found - ROI.compute("framework", [*features, rois], attributes())[0]).max() > 0.01


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_float16_is_computed_in_float32_and_rounded_back(semantics):
    random = np.random.default_rng(0)
    features = [item.astype(np.float16) for item in pyramid(random)]
    rois = np.array([[0, 3, 4, 30, 28], [1, 10, 2, 18, 9]], np.float16)

    agree(semantics, features, rois, attributes(), tolerance=1e-3)
