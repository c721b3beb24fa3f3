"""YOLOX out of mmdet's own layers with random weights: it detects, and pictures of a batch do not mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from convertkit.models.hook import hook_of
from convertkit.models.package import read_spec
from tests.conftest import MASKRCNN, Cli

PACKAGE = MASKRCNN.parent / "yolox"
VARIANT = """size: [96, 128]
config:
  base: yolox/yolox_nano_8x8_300e_coco.py
  overrides: {model: {test_cfg: {max_per_img: 20}}}
"""


@pytest.mark.slow
@pytest.mark.export
def test_it_builds_for_the_chip_with_one_nms(cli: Cli, export_python: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(VARIANT)
    words = [str(PACKAGE), "--variant", str(tmp_path / "small.yaml"), "--weights", "random:0", "-o", "out"]

    done = cli(
        "build", *words, "--python", str(export_python), "-t", "ascend310p3", "--compiler", "none", "--json"
    )

    assert done.code == 0, done.err
    operators = [node.op_type for node in onnx.load("out/ascend.onnx").graph.node]
    assert operators.count("BatchMultiClassNMS") == 1
    assert "NonMaxSuppression" not in operators
    assert not [record["name"] for record in done.json["passes"] if record["check"]["unchecked"]]


def test_the_package_shares_the_environment_of_mask_rcnn() -> None:
    ours, theirs = (hook_of(root, read_spec(root)) for root in (PACKAGE, MASKRCNN))

    assert (ours.worker, ours.name) == (theirs.worker, theirs.name)
    assert len((PACKAGE / "model.yaml").read_text().splitlines()) <= 80


@pytest.mark.slow
@pytest.mark.export
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
