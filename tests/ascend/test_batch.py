"""One call of a vendor's operator for several pictures is one call for each of them, in every semantics."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend import ops
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ascend import test_nms, test_roi_extractor

NMS, ROI = ops.get("BatchMultiClassNMS"), ops.get("RoiExtractor")
SEMANTICS = pytest.mark.parametrize("semantics", ["framework", "ideal", "device"])
SEEDS = st.integers(0, 2**32)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@SEMANTICS
@settings(max_examples=15, deadline=None)
@given(
    batch=st.integers(2, 4),
    shared=st.booleans(),
    inputs=st.integers(2, 4),
    size=st.integers(1, 9),
    seed=SEEDS,
)
def test_nms_of_several_pictures_is_that_of_each(semantics, batch, shared, inputs, size, seed):
    """With boxes, scores, window and number of boxes of their own; not finite, too."""
    random = np.random.default_rng(seed)
    boxes = random.choice(np.array(test_nms.CORNERS, np.float32), (batch, 8, 1 if shared else 2, 4))
    boxes[..., 2:] = boxes[..., :2] + np.abs(boxes[..., 2:])
    scores = random.choice(np.array(test_nms.SCORES, np.float32), (batch, 8, 2))
    window = np.sort(random.uniform(0, 700, (batch, 4)).astype(np.float32))
    counts = random.integers(0, 9, batch).astype(np.int32)
    given, values = [boxes, scores, window, counts][:inputs], test_nms.attributes(total=size)

    together = NMS.compute(semantics, given, values)

    alone = [NMS.compute(semantics, [each[at : at + 1] for each in given], values) for at in range(batch)]
    for found, expected in zip(together, zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(found, np.concatenate(expected))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@SEMANTICS
@settings(max_examples=15, deadline=None)
@given(batch=st.integers(2, 4), aligned=st.integers(0, 1), samples=st.sampled_from([0, 2]), seed=SEEDS)
def test_rois_of_several_pictures_are_pooled_on_their_own(semantics, batch, aligned, samples, seed):
    """The first column of a RoI is its picture; those of a picture may lie apart, and in any order."""
    random = np.random.default_rng(seed)
    features = test_roi_extractor.pyramid(random, images=batch)
    rois = test_roi_extractor.random_rois(random, test_roi_extractor.CORNERS, count=9)
    rois[:, 0] = random.integers(0, batch, 9)
    values = test_roi_extractor.attributes(aligned=aligned, sample_num=samples)

    (together,) = ROI.compute(semantics, [*features, rois], values)

    for at in range(batch):
        mine = rois[:, 0] == at
        alone = np.concatenate([np.zeros((mine.sum(), 1), np.float32), rois[mine, 1:]], 1)
        (expected,) = ROI.compute(semantics, [*(level[at : at + 1] for level in features), alone], values)
        np.testing.assert_array_equal(together[mine], expected)
