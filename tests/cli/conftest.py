"""A model package that finds boxes in any photo."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.offline.conftest import detector_graph
from tests.tiny import write_package

DETECTOR_YAML = """
name: boxes
summary: finds boxes whatever the photo
plugin: plugin.py
inputs: {input: {role: image, shape: [1, 3, H, W]}}
outputs: {dets: {role: dets}, labels: {role: labels}, masks: {role: masks}}
preprocess: {mean: [0, 0, 0], std: [255, 255, 255]}
export: {worker: w.py, environment: {requirements: r.txt}}
pipeline: [fold-constants]
default_variant: only
variants:
  only:
    size: [320, 320]
    config: {base: none}
    stock: boxes.onnx
    performance: {cpu: {fps: 0.001, source: a slow day}}
"""


@pytest.fixture
def boxes(tmp_path) -> Path:
    root = write_package(tmp_path / "boxes")
    onnx.save(detector_graph(), root / "boxes.onnx")
    (root / "model.yaml").write_text(DETECTOR_YAML)
    (root / "plugin.py").write_text(
        "import numpy as np\n"
        "from convertkit.api.models import Detections, Model, letterbox\nfrom convertkit.api.passes import hookimpl\n"
        "class Boxes(Model):\n"
        "    name = 'boxes'\n"
        "    def preprocess(self, image, size, spec):\n"
        "        tensor, place = letterbox(image, size, spec)\n"
        "        return {'input': tensor}, place\n"
        "    def postprocess(self, outputs, place, spec):\n"
        "        dets = outputs['dets']\n"
        "        return Detections(dets[:, :4], dets[:, 4], outputs['labels'].astype(np.int64))\n"
        "    def sample_images(self):\n"
        "        yield np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)\n"
        "@hookimpl\n"
        "def register_models(register):\n"
        "    register(Boxes)\n"
    )
    return root
