"""YOLOX out of mmdet's own layers with random weights: it detects, and pictures of a batch do not mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.conftest import MASKRCNN, Cli

pytestmark = [pytest.mark.slow, pytest.mark.export]

PACKAGE = MASKRCNN.parent / "yolox"
VARIANT = """size: [96, 128]
config:
  base: yolox/yolox_nano_8x8_300e_coco.py
  overrides: {model: {test_cfg: {max_per_img: 20}}}
"""


def test_a_batch_has_the_slots_of_its_pictures_one_after_the_other(
    cli: Cli, export_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "small.yaml").write_text(VARIANT)
    words = [str(PACKAGE), "--variant", str(tmp_path / "small.yaml"), "--weights", "random:0"]
    words += ["--python", str(export_python)]
    pictures = np.random.default_rng(0).normal(size=(2, 3, 96, 128)).astype(np.float32)

    done = [cli("export", *words, "--batch", str(batch), "-o", f"{batch}.onnx") for batch in (1, 2)]

    assert [one.code for one in done] == [0, 0], done[0].err + done[1].err
    single, both = (onnxruntime.InferenceSession(f"{batch}.onnx") for batch in (1, 2))
    dets, labels = both.run(["dets", "labels"], {"input": pictures})
    assert (dets.shape, labels.shape) == ((40, 5), (40,))
    for index in range(2):
        alone, kinds = single.run(["dets", "labels"], {"input": pictures[index : index + 1]})
        mine = slice(20 * index, 20 * index + 20)
        np.testing.assert_allclose(dets[mine], alone, atol=1e-3)
        np.testing.assert_array_equal(labels[mine], kinds)
        assert (np.diff(alone[:, 4]) <= 0).all()
        assert (alone[:, 4] > 0.01).sum() > 5
    assert sum(node.op_type == "NonMaxSuppression" for node in onnx.load("2.onnx").graph.node) == 1
