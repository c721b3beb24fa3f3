"""The real YOLOX-Nano on real photos: it detects what ncnn detects, and keeps its accuracy down to the twin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest

from bench.yolox import PACKAGE, write_variant
from convertkit.plugins.loading import Plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN, Cli
from tests.models.yolox import of_ncnn
from tests.shared import SHARED, needs_shared

pytestmark = [pytest.mark.slow, pytest.mark.export, needs_shared]

SIZE = (416, 416)
RUNGS = ("framework", "stock", "twin:ideal", "device-numerics")

TRACED = """
import sys
sys.path.insert(0, sys.argv[1])
from export import environment
environment.prepare()
import numpy as np, torch
import mmdet.core.export
from export import best_class, detector

model = detector.build(detector.read_config({"base": "yolox/yolox_nano_8x8_300e_coco.py"}, 80))
state = torch.load(sys.argv[2], weights_only=True)["state_dict"]
model.load_state_dict(state, strict=False)
inputs = np.load(sys.argv[3])
given = []
nothing = torch.zeros(1, 1, 5), torch.zeros(1, 1)
mmdet.core.export.add_dummy_nms_for_onnx = lambda *words: given.append(words) or nothing
head, worst = model.bbox_head, 0.0
head._bboxes_nms = lambda classes, boxes, factor, cfg: (boxes, classes.max(1)[0] * factor, classes.max(1)[1])
with torch.no_grad():
    for image in torch.from_numpy(inputs)[:, None]:
        metas = [{"scale_factor": np.ones(4, np.float32)}]
        (boxes, scores, labels), = head.get_bboxes(*head(model.extract_feat(image)), metas)
        best_class.BestClassDetector(model)(image)
        ours, theirs = given[-1][:2]
        assert torch.equal(ours[0], boxes)
        assert torch.equal(theirs[0].max(1)[0], scores) and torch.equal(theirs[0].max(1)[1], labels)
        assert int((theirs > 0).sum()) == len(labels)
print(given[-1][3:])
"""


@pytest.fixture
def words(tmp_path: Path, export_python: Path) -> list[str]:
    variant = write_variant(tmp_path, SHARED / "data")
    return [str(PACKAGE), "--variant", str(variant), "--python", str(export_python)]


@pytest.fixture
def inputs() -> list[Any]:
    package = open_package(PACKAGE, Plugins())
    photos = sorted((SHARED / "data" / "coco_val57" / "images").iterdir())
    spec = package.preprocess_spec(package.variant())
    return [package.model.preprocess(cv2.imread(str(photo)), SIZE, spec)[0]["input"] for photo in photos]


def test_photos_are_padded_with_the_pixels_of_the_release(inputs: list[Any]) -> None:
    spec = open_package(PACKAGE, Plugins()).spec.preprocess

    pixels = np.array([image[0, :, -1, -1] for image in inputs]) * np.array(spec.std) + np.array(spec.mean)

    padded = np.isclose(pixels, 114, atol=1e-4).all(1)
    assert padded.sum() > len(inputs) / 2  # the others fill the canvas


def test_what_the_nms_is_given_is_mmdets_own_bit_for_bit(
    words: list[str], inputs: list[Any], export_python: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "inputs.npy", np.concatenate(inputs[:4]))
    told = [MASKRCNN, tmp_path / "yolox-nano.pth", tmp_path / "inputs.npy"]

    done = subprocess.run([export_python, "-c", TRACED, *told], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(0.65, 0.01, -1, 100)"


def test_detections_are_those_of_ncnn(cli: Cli, words: list[str], inputs: list[Any], tmp_path: Path) -> None:
    ncnn = pytest.importorskip("ncnn", reason="PyPI's ncnn is not installed: pip install --no-deps ncnn")
    exported = cli("export", *words, "--output", str(tmp_path / "stock.onnx"))
    assert exported.code == 0, exported.err
    session = onnxruntime.InferenceSession(tmp_path / "stock.onnx")

    with of_ncnn.network(ncnn, SHARED / "data" / "yolox_nano" / "yolox-nano") as net:
        for image in inputs:
            raw = of_ncnn.raw(ncnn, net, image)
            expected, kinds = of_ncnn.detections(raw, SIZE, score=0.01, iou=0.65)
            dets, labels = session.run(["dets", "labels"], {"input": image})

            found = int((dets[:, 4] > 0).sum())
            assert found == min(len(expected), len(dets))
            np.testing.assert_array_equal(labels[:found], kinds[:found])
            np.testing.assert_allclose(dets[:found, 4], expected[:found, 4], atol=1e-4)
            np.testing.assert_allclose(dets[:found, :4], expected[:found, :4], atol=0.02)


def test_the_twin_has_the_frameworks_accuracy(cli: Cli, words: list[str]) -> None:
    done = cli(
        "verify",
        *words,
        "--target",
        "ascend310p3",
        *(w for rung in RUNGS for w in ("--runtime", rung)),
        "--json",
    )

    assert done.code == 0, done.err
    scores = {rung["name"]: rung["scores"]["bbox"]["AP"] for rung in json.loads(done.out)["rungs"]}
    assert scores["framework"] == pytest.approx(0.2783, abs=0.002)
    for name in RUNGS[1:]:
        assert scores[name] == pytest.approx(scores["framework"], abs=0.002), name
