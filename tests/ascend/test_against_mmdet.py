"""*framework* against the framework itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from convertkit_ascend import ops

from tests.conftest import MASKRCNN

pytestmark = [pytest.mark.slow, pytest.mark.export]

SCRIPT = Path(__file__).with_name("mmdet_answers.py")


def questions():
    """RoIs of all sizes, on the bounds, without area, beyond the image; crowded boxes of six classes."""
    random = np.random.default_rng(0)
    levels = [random.standard_normal((2, 4, 256 // s, 320 // s)).astype(np.float32) for s in (4, 8, 16, 32)]
    centre, size = random.uniform(-20, 340, (400, 2)), np.exp(random.uniform(-2, 6.3, (400, 2)))
    image = random.integers(0, 2, (400, 1))
    rois = np.concatenate([image, centre - size / 2, centre + size / 2], 1).astype(np.float32)
    for index, bound in enumerate((112, 224, 448)):
        rois[index, 1:] = 0, 0, bound, bound
        rois[index + 3, 1:] = 0, 0, 2 * bound, bound / 2
    rois[6, 3:] = rois[6, 1:3]
    centre = random.uniform(0, 320, (150, 2)).repeat(6, 0) + random.normal(0, 4, (900, 2))
    size = np.exp(random.uniform(2, 5, (150, 2))).repeat(6, 0)
    boxes = np.concatenate([centre - size / 2, centre + size / 2], 1)[:, None]
    scores = random.permutation(900 * 7).reshape(900, 7) / (900 * 7)
    return {
        **{f"level{index}": level for index, level in enumerate(levels)},
        "rois": rois,
        "boxes": (boxes + random.normal(0, 2, (900, 6, 4))).astype(np.float32),
        "scores": scores.astype(np.float32),
    }


def test_framework_semantics_are_those_of_mmdet(export_python, tmp_path):
    given = questions()
    np.savez(tmp_path / "given.npz", **given)
    command = [export_python, SCRIPT, MASKRCNN / "export", tmp_path / "given.npz", tmp_path / "answers.npz"]

    subprocess.run([str(word) for word in command], check=True, capture_output=True)

    answers = np.load(tmp_path / "answers.npz")
    levels = [given[f"level{index}"] for index in range(4)]
    for aligned in (0, 1):
        for samples in (0, 2):
            values = {"aligned": aligned, "sample_num": samples}
            (pooled,) = ops.ROI_EXTRACTOR.compute("framework", [*levels, given["rois"]], values)
            np.testing.assert_allclose(pooled, answers[f"pooled_{aligned}_{samples}"], atol=5e-6)
    values = {
        "score_threshold": 0.05,
        "iou_threshold": 0.5,
        "max_size_per_class": 100,
        "max_total_size": 100,
    }
    for name, boxes in (("shared", given["boxes"][:, :1]), ("own", given["boxes"])):
        inputs = [boxes[None], given["scores"][None, :, :6]]
        kept, scores, classes, _ = ops.BATCH_MULTI_CLASS_NMS.compute("framework", inputs, values)
        np.testing.assert_array_equal(np.column_stack([kept[0], scores[0]]), answers[f"dets_{name}"])
        np.testing.assert_array_equal(classes[0], answers[f"labels_{name}"])
