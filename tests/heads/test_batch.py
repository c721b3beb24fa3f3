"""One call of a head for several pictures is one call for each of them: the reference, and in standard ONNX."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convertkit.api import heads
from convertkit.plugins.loading import open_plugins
from tests.heads.test_lowering import NMS, run

SEEDS = st.integers(0, 2**32)
ROI = {
    "spatial_scale": [1 / 4, 1 / 8], "output_height": 2, "output_width": 2, "finest_scale": 8, "sampling_ratio": 2,
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def known():
    open_plugins()


def reference(op, inputs, attributes):
    record = heads.MULTICLASS_NMS if op == "MulticlassNms" else heads.MULTILEVEL_ROI_ALIGN
    return record.compute(list(inputs.values()), attributes)


def several(random, batch):
    """Whole corners that often coincide, scores in tenths that often tie."""
    corner = random.integers(0, 5, (batch, 7, 2, 2)) * 8
    boxes = np.concatenate([corner, corner + random.integers(0, 4, corner.shape) * 8], -1)
    return {
        "boxes": boxes.astype(np.float32),
        "scores": (random.integers(0, 10, (batch, 7, 2)) / 10).astype(np.float32),
    }


@settings(max_examples=20, deadline=None)
@given(batch=st.integers(2, 4), ties=st.sampled_from(["box", "class"]), drop=st.integers(0, 1), seed=SEEDS)
def test_nms_of_several_pictures_is_that_of_each(batch, ties, drop, seed):
    inputs = several(np.random.default_rng(seed), batch)
    switches = {**NMS, "ties": ties, "drop_empty": drop}

    together = reference("MulticlassNms", inputs, switches)

    alone = [
        reference("MulticlassNms", {name: each[at : at + 1] for name, each in inputs.items()}, switches)
        for at in range(batch)
    ]
    for found, expected in zip(together, zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ties", ["box", "class"])
def test_nms_in_standard_onnx_is_that_of_its_reference_for_three_pictures(ties, seed):
    inputs, switches = several(np.random.default_rng(seed), 3), {**NMS, "ties": ties}

    found = run("MulticlassNms", inputs, switches)

    for ours, expected in zip(found, reference("MulticlassNms", inputs, switches), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("at_bound", ["up", "down"])
def test_rois_of_three_pictures_are_pooled_on_their_own(at_bound):
    """In any order, and one picture without any."""
    random = np.random.default_rng(0)
    levels = [random.standard_normal((3, 2, 32 // side, 36 // side)).astype(np.float32) for side in (4, 8)]
    corner = random.uniform(-4, 20, (6, 2))
    pictures = np.array([[2], [0], [2], [0], [0], [2]])
    rois = np.concatenate([pictures, corner, corner + random.uniform(1, 20, (6, 2))], 1).astype(np.float32)
    inputs, switches = {"p2": levels[0], "p3": levels[1], "rois": rois}, {**ROI, "at_bound": at_bound}

    (together,), (standard,) = (how("MultilevelRoiAlign", inputs, switches) for how in (reference, run))

    np.testing.assert_allclose(standard, together, rtol=1e-4, atol=1e-5)
    for at in range(3):
        mine = rois[:, 0] == at
        alone = np.concatenate([np.zeros((mine.sum(), 1), np.float32), rois[mine, 1:]], 1)
        one = {"p2": levels[0][at : at + 1], "p3": levels[1][at : at + 1], "rois": alone}
        np.testing.assert_array_equal(together[mine], reference("MultilevelRoiAlign", one, switches)[0])
